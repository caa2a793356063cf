import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';

/** One operation of a JSON Patch (RFC 6902) and, for people, what stood there before. */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string; readonly old: JsonValue }
  | { readonly op: 'replace'; readonly path: string; readonly value: JsonValue; readonly old: JsonValue };

/**
 * The operations that make `to` of `from`, in an order in which they can be applied. Elements of arrays are compared from both ends; what
 * lies between is compared place by place, so that the time is linear in the size of the documents.
 */
export function diffJson(from: JsonValue, to: JsonValue): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  compare(from, to, '', operations);
  return operations;
}

function compare(from: JsonValue, to: JsonValue, path: string, operations: PatchOperation[]): void {
  if (isJsonObject(from) && isJsonObject(to)) compareObjects(from, to, path, operations);
  else if (Array.isArray(from) && Array.isArray(to)) compareArrays(from, to, path, operations);
  else if (from !== to) operations.push({ op: 'replace', path, value: to, old: from });
}

function compareObjects(from: JsonObject, to: JsonObject, path: string, operations: PatchOperation[]): void {
  for (const [name, old] of Object.entries(from)) {
    if (!Object.hasOwn(to, name)) operations.push({ op: 'remove', path: below(path, name), old });
  }
  const before = new Map(Object.entries(from));
  for (const [name, value] of Object.entries(to)) {
    const old = before.get(name);
    if (old === undefined) operations.push({ op: 'add', path: below(path, name), value });
    else compare(old, value, below(path, name), operations);
  }
}

function compareArrays(from: readonly JsonValue[], to: readonly JsonValue[], path: string, operations: PatchOperation[]): void {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && isDeepStrictEqual(from[start], to[start])) start += 1;
  let end = 0;
  while (end < shorter - start && isDeepStrictEqual(from[from.length - 1 - end], to[to.length - 1 - end])) end += 1;
  const old = from.slice(start, from.length - end);
  const now = to.slice(start, to.length - end);
  const paired = Math.min(old.length, now.length);
  for (const [index, value] of now.slice(0, paired).entries()) compare(old[index] ?? null, value, below(path, start + index), operations);
  // From behind, so that the places of those before still hold.
  for (let index = old.length - 1; index >= paired; index -= 1) {
    operations.push({ op: 'remove', path: below(path, start + index), old: old[index] ?? null });
  }
  for (const [index, value] of now.slice(paired).entries()) {
    operations.push({ op: 'add', path: below(path, start + paired + index), value });
  }
}

function below(path: string, step: string | number): string {
  return `${path}/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
