import { PatternError } from './pattern-error.ts';

/** Reads a pattern (byte string) from its beginning to its end. */
export class PatternReader {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** The next character, `''` at the end. */
  peek(): string {
    return this.text.charAt(this.position);
  }

  take(): string {
    const character = this.peek();
    this.position += 1;
    return character;
  }

  /** Whether the text went on with `expected`, which is taken then. */
  takeIf(expected: string): boolean {
    if (!this.text.startsWith(expected, this.position)) return false;
    this.position += expected.length;
    return true;
  }

  /** Takes what a sticky expression matches here. */
  takeMatch(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.position;
    const match = expression.exec(this.text) ?? undefined;
    if (match !== undefined) this.position += match[0].length;
    return match;
  }

  /** @throws PatternError always */
  fail(reason: string, position = this.position): never {
    throw new PatternError(`${reason} (at offset ${position})`);
  }
}
