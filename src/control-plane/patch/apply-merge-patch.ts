import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { appendPointer, isJsonObject } from '../../schema/index.ts';
import { isReservedSegment } from './json-pointer.ts';
import { refusePatch } from './patch-budget.ts';

/**
 * The document after a JSON Merge Patch (RFC 7396): null takes a field away, an object is merged into the one that is there, all else
 * replaces. The document given is not changed; what the patch does not name is shared with it.
 *
 * @throws PortcullisError 400 when a name in the patch is a reserved one
 */
export function applyMergePatch(document: JsonObject, patch: JsonObject): JsonObject {
  return merge(document, patch, '');
}

function merge(target: JsonValue | undefined, patch: JsonObject, pointer: string): JsonObject {
  const merged: Map<string, JsonValue> = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    const fieldPointer = appendPointer(pointer, name);
    if (isReservedSegment(name)) throw refusePatch(fieldPointer, 'this name is not allowed in a path');
    if (value === null) merged.delete(name);
    else merged.set(name, isJsonObject(value) ? merge(merged.get(name), value, fieldPointer) : value);
  }
  return Object.fromEntries(merged);
}
