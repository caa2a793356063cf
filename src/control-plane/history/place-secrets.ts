import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';

/** The value at a JSON pointer; undefined when there is none. */
export function valueAt(document: JsonObject, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const step of stepsOf(pointer)) {
    if (Array.isArray(value)) value = /^\d{1,9}$/.test(step) ? value[Number(step)] : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

/**
 * A copy of a document that history keeps, with its secrets back in their places: in objects as fields, in arrays between the elements that
 * are left. Pointers must be those of the version, whose other elements have closed ranks.
 */
export function placeSecrets(document: JsonObject, secrets: ReadonlyMap<string, JsonValue>): JsonObject {
  let placed: JsonValue = document;
  // Elements go in from the front, so that each finds the place it had.
  for (const [pointer, value] of [...secrets].sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }))) {
    placed = withValue(placed, stepsOf(pointer), value);
  }
  return isJsonObject(placed) ? placed : document;
}

function withValue(node: JsonValue, [step, ...rest]: readonly string[], value: JsonValue): JsonValue {
  if (step === undefined) return value;
  if (Array.isArray(node)) {
    const index = Number(step);
    return rest.length === 0
      ? node.toSpliced(index, 0, value)
      : node.map((element, at) => (at === index ? withValue(element, rest, value) : element));
  }
  if (!isJsonObject(node)) return node;
  const inner = Object.hasOwn(node, step) ? (node[step] ?? {}) : {};
  const field = rest.length === 0 ? value : withValue(inner, rest, value);
  // Not by assignment: a name from a document must not reach a prototype.
  return Object.fromEntries([...Object.entries(node).filter(([name]) => name !== step), [step, field]]);
}

function stepsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
