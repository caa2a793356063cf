import type { JsonObject, JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue } from './issue.ts';

/** Deeper documents are refused: what writes, encrypts or compares them recurses. */
const MAX_DOCUMENT_DEPTH = 64;
/** Larger documents are refused: each value is copied, checked, compared with the version before and told to gateways, some microseconds each. */
const MAX_DOCUMENT_VALUES = 200_000;

export type CopyResult =
  /** `valueCount` counts every object, array and scalar inside. */
  { readonly ok: true; readonly copy: JsonObject; readonly valueCount: number } | { readonly ok: false; readonly issues: readonly Issue[] };

/** What one walk through a body has found. */
interface Walk {
  readonly issues: Issue[];
  valueCount: number;
}

/**
 * A deep copy that is safe to write defaults into, or what makes the body unfit before any schema is asked: not an object,
 * nested beyond `MAX_DOCUMENT_DEPTH`, of more than `MAX_DOCUMENT_VALUES` values, a field named `__proto__`, a number that JSON text cannot hold (`1e999` parses to Infinity
 * and would be stored as null).
 */
export function copyDocument(body: unknown): CopyResult {
  const walk: Walk = { issues: [], valueCount: 0 };
  const copy = copyValue(body, '', 0, walk);
  if (walk.valueCount > MAX_DOCUMENT_VALUES) {
    return { ok: false, issues: [{ pointer: '', message: `the document has more than ${MAX_DOCUMENT_VALUES} values` }] };
  }
  if (walk.issues.length > 0) return { ok: false, issues: walk.issues };
  if (!isJsonObject(copy)) return { ok: false, issues: [{ pointer: '', message: 'value must be an object' }] };
  return { ok: true, copy, valueCount: walk.valueCount };
}

/** Whether a JSON value is an object, not an array and not null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function copyValue(value: unknown, pointer: string, depth: number, walk: Walk): JsonValue {
  walk.valueCount++;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') {
    walk.issues.push({ pointer, message: typeof value === 'number' ? 'number is out of range' : 'value is not JSON' });
    return null;
  }
  if (depth >= MAX_DOCUMENT_DEPTH) {
    walk.issues.push({ pointer: '', message: `the document is nested more than ${MAX_DOCUMENT_DEPTH} levels deep` });
    return null;
  }
  if (Array.isArray(value)) return value.map((element, index) => copyValue(element, appendPointer(pointer, index), depth + 1, walk));
  return copyObject(value, pointer, depth, walk);
}

function copyObject(value: object, pointer: string, depth: number, walk: Walk): JsonObject {
  const copy: Record<string, JsonValue> = {};
  for (const [name, field] of Object.entries(value)) {
    const fieldPointer = appendPointer(pointer, name);
    if (name === '__proto__') walk.issues.push({ pointer: fieldPointer, message: 'this name is not allowed' });
    else copy[name] = copyValue(field, fieldPointer, depth + 1, walk);
  }
  return copy;
}
