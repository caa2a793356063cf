import { ABOVE_BYTES, type ByteSet, singleton } from '../byte-set.ts';
import type { AssertionName, Pattern, PatternNode, RepeatNode } from '../pattern-node.ts';
import type { EngineMatch } from '../regex-engine.ts';

type Continue = (position: number) => boolean;

/** A plain backtracking matcher, as PCRE is one: slow, and counts its steps. What engines find and what patterns cost is compared with it. */
export class BacktrackingMatcher {
  /** Characters and assertions that were looked at. */
  steps = 0;
  /** The last position of a character that was looked at since this was set. */
  farthest = 0;
  readonly #root: PatternNode;
  readonly #numbers = new Map<PatternNode, number>();
  #text = '';
  #captures: (string | undefined)[] = [];

  constructor({ root }: Pick<Pattern, 'root'>) {
    this.#root = root;
    this.#number(root);
  }

  find(text: string, from: number): EngineMatch | undefined {
    this.#text = text;
    for (let index = from; index <= text.length; index++) {
      this.#captures = Array.from({ length: this.#numbers.size + 1 }, () => undefined);
      let end = -1;
      const accept = (position: number): boolean => {
        end = position;
        return true;
      };
      if (this.#match(this.#root, index, accept)) return { index, captures: [text.slice(index, end), ...this.#captures.slice(1)] };
    }
    return undefined;
  }

  #number(node: PatternNode): void {
    if (node.kind === 'capture') this.#numbers.set(node, this.#numbers.size + 1);
    if (node.kind === 'sequence') for (const part of node.parts) this.#number(part);
    if (node.kind === 'choice') for (const alternative of node.alternatives) this.#number(alternative);
    if (node.kind === 'capture' || node.kind === 'repeat') this.#number(node.body);
  }

  #match(node: PatternNode, position: number, next: Continue): boolean {
    switch (node.kind) {
      case 'set':
        this.steps += 1;
        this.farthest = Math.max(this.farthest, position);
        return position < this.#text.length && has(node.members, this.#text.charCodeAt(position)) && next(position + 1);
      case 'assertion':
        this.steps += 1;
        return this.#holds(node.name, position) && next(position);
      case 'sequence':
        return this.#matchParts(node.parts, 0, position, next);
      case 'choice':
        return node.alternatives.some((alternative) => this.#match(alternative, position, next));
      case 'capture':
        return this.#matchCapture(node, node.body, position, next);
      case 'repeat':
        return this.#matchRepeat(node, 0, position, next);
    }
  }

  #matchParts(parts: readonly PatternNode[], index: number, position: number, next: Continue): boolean {
    const part = parts[index];
    if (part === undefined) return next(position);
    return this.#match(part, position, (end) => this.#matchParts(parts, index + 1, end, next));
  }

  #matchCapture(node: PatternNode, body: PatternNode, position: number, next: Continue): boolean {
    const number = this.#numbers.get(node) ?? 0;
    return this.#match(body, position, (end) => {
      const before = this.#captures[number];
      this.#captures[number] = this.#text.slice(position, end);
      if (next(end)) return true;
      this.#captures[number] = before;
      return false;
    });
  }

  #matchRepeat(node: RepeatNode, count: number, position: number, next: Continue): boolean {
    const more = (): boolean =>
      count < node.max &&
      this.#match(node.body, position, (end) => (end > position || count < node.min) && this.#matchRepeat(node, count + 1, end, next));
    const enough = (): boolean => count >= node.min && next(position);
    return node.mode === 'lazy' ? enough() || more() : more() || enough();
  }

  #holds(name: AssertionName, position: number): boolean {
    const text = this.#text;
    const isWord = (at: number): boolean => /\w/.test(text.charAt(at));
    switch (name) {
      case 'start':
        return position === 0;
      case 'end':
        return position === text.length;
      case 'line-start':
        return position === 0 || text[position - 1] === '\n';
      case 'line-end':
        return position === text.length || text[position] === '\n';
      case 'word-boundary':
        return isWord(position - 1) !== isWord(position);
      case 'not-word-boundary':
        return isWord(position - 1) === isWord(position);
    }
  }
}

function has(members: ByteSet, code: number): boolean {
  return (members & singleton(Math.min(code, ABOVE_BYTES))) !== 0n;
}
