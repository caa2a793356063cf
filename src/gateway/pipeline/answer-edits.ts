import type { ResponseHead } from '../../plugin-kit/index.ts';

interface AnswerEdit {
  readonly kind: 'set' | 'add';
  readonly name: string;
  readonly value: string;
}

/** Headers that plugins set on the answer before there was one. */
export class AnswerEdits {
  readonly #edits: AnswerEdit[] = [];

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  set(name: string, value: string): void {
    const lowerCaseName = name.toLowerCase();
    for (let index = this.#edits.length - 1; index >= 0; index--) {
      if (this.#edits[index]?.name.toLowerCase() === lowerCaseName) this.#edits.splice(index, 1);
    }
    this.#edits.push({ kind: 'set', name, value });
  }

  add(name: string, value: string): void {
    this.#edits.push({ kind: 'add', name, value });
  }

  applyTo(head: ResponseHead): void {
    for (const { kind, name, value } of this.#edits) {
      if (kind === 'set') head.setHeader(name, value);
      else head.addHeader(name, value);
    }
  }
}
