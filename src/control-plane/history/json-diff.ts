import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';

/** One operation of a JSON Patch (RFC 6902) and, for people, what stood there before. */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string; readonly old: JsonValue }
  | { readonly op: 'replace'; readonly path: string; readonly value: JsonValue; readonly old: JsonValue };

/**
 * The operations that make `to` of `from`, in an order in which they can be applied. Arrays of different lengths are compared from both
 * ends, and what lies between place by place. The time is linear in the size of the documents, whatever their nesting.
 */
export function diffJson(from: JsonValue, to: JsonValue): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  new Comparison(operations).compare(from, to, '', MAX_NESTED_TRIMS);
  return operations;
}

/** Below so many arrays of different lengths elements are compared by place alone: each such array looks at all below it once more. */
const MAX_NESTED_TRIMS = 3;

class Comparison {
  readonly #operations: PatchOperation[];

  constructor(operations: PatchOperation[]) {
    this.#operations = operations;
  }

  compare(from: JsonValue, to: JsonValue, path: string, trims: number): void {
    if (isJsonObject(from) && isJsonObject(to)) this.#compareObjects(from, to, path, trims);
    else if (Array.isArray(from) && Array.isArray(to)) this.#compareArrays(from, to, path, trims);
    else if (from !== to) this.#operations.push({ op: 'replace', path, value: to, old: from });
  }

  #compareObjects(from: JsonObject, to: JsonObject, path: string, trims: number): void {
    for (const [name, old] of Object.entries(from)) {
      if (!Object.hasOwn(to, name)) this.#operations.push({ op: 'remove', path: below(path, name), old });
    }
    const before = new Map(Object.entries(from));
    for (const [name, value] of Object.entries(to)) {
      const old = before.get(name);
      if (old === undefined) this.#operations.push({ op: 'add', path: below(path, name), value });
      else this.compare(old, value, below(path, name), trims);
    }
  }

  #compareArrays(from: readonly JsonValue[], to: readonly JsonValue[], path: string, trims: number): void {
    const isTrimmed = from.length !== to.length && trims > 0;
    const { start, end } = isTrimmed ? equalEnds(from, to) : { start: 0, end: 0 };
    const inner = isTrimmed ? trims - 1 : trims;
    const old = from.slice(start, from.length - end);
    const now = to.slice(start, to.length - end);
    const paired = Math.min(old.length, now.length);
    for (const [index, value] of now.slice(0, paired).entries()) {
      this.compare(old[index] ?? null, value, below(path, start + index), inner);
    }
    // From behind, so that the places of those before still hold.
    for (let index = old.length - 1; index >= paired; index -= 1) {
      this.#operations.push({ op: 'remove', path: below(path, start + index), old: old[index] ?? null });
    }
    for (const [index, value] of now.slice(paired).entries()) {
      this.#operations.push({ op: 'add', path: below(path, start + paired + index), value });
    }
  }
}

/** How many elements are the same at the beginning and at the end. */
function equalEnds(from: readonly JsonValue[], to: readonly JsonValue[]): { readonly start: number; readonly end: number } {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && isDeepStrictEqual(from[start], to[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isDeepStrictEqual(from[from.length - 1 - end], to[to.length - 1 - end])) end += 1;
  return { start, end };
}

function below(path: string, step: string | number): string {
  return `${path}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
