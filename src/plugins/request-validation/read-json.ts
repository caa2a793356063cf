import { measureJson } from './measure-json.ts';

/** How many members all objects in a value have, and all arrays elements. */
export interface JsonSize {
  readonly members: number;
  readonly elements: number;
}

/** A JSON body that has been parsed. */
export type ReadJson =
  | {
      readonly kind: 'json';
      readonly value: unknown;
      /** A name stands twice in one object: what was parsed is not what others may read in the same text. */
      readonly ambiguous: boolean;
      readonly size: JsonSize;
    }
  | { readonly kind: 'invalid'; readonly message: string };

/** Bodies with more would hold up a worker while they are parsed and validated. */
const MAX_VALUES = 500_000;
/** Deeper bodies are refused: what validates and writes them recurses. */
const MAX_DEPTH = 128;

const NO_JSON: ReadJson = { kind: 'invalid', message: 'the request body is not valid JSON' };

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses JSON (RFC 8259) that is not larger than a worker can bear. */
export function readJson(bytes: Uint8Array): ReadJson {
  const { values, members, depth } = measureJson(bytes, MAX_VALUES, MAX_DEPTH);
  if (values > MAX_VALUES) return { kind: 'invalid', message: `the request body holds more than ${MAX_VALUES} JSON values` };
  if (depth > MAX_DEPTH) return { kind: 'invalid', message: `the request body is nested more than ${MAX_DEPTH} levels deep` };
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    const size = sizeOf(value);
    return { kind: 'json', value, ambiguous: size.members !== members, size };
  } catch {
    return NO_JSON;
  }
}

/** Counts what is inside a value. */
export function sizeOf(value: unknown): JsonSize {
  const size = { members: 0, elements: 0 };
  addSize(value, size);
  return size;
}

function addSize(value: unknown, size: { members: number; elements: number }): void {
  if (typeof value !== 'object' || value === null) return;
  const inner = Object.values(value);
  if (Array.isArray(value)) size.elements += inner.length;
  else size.members += inner.length;
  for (const item of inner) addSize(item, size);
}
