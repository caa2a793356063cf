import type { JsonValue } from '../../lib/json.ts';

/** A JSON value that is changed in place. Own properties only: it is read with `Object.hasOwn`. */
export type MutableJson = null | boolean | number | string | MutableJson[] | MutableObject;

export interface MutableObject {
  [name: string]: MutableJson;
}

export function isMutableObject(value: MutableJson | undefined): value is MutableObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy that shares nothing with the value, whose depth is bounded already. */
export function mutableCopy(value: JsonValue): MutableJson {
  if (typeof value !== 'object' || value === null) return value;
  if (isArray(value)) return value.map(mutableCopy);
  const copy: MutableObject = {};
  for (const [name, field] of Object.entries(value)) copy[name] = mutableCopy(field);
  return copy;
}

/** Whether two values are the same JSON (RFC 6902, section 4.6): the order of an object's names does not count. */
export function sameJson(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return one === other;
  if (isArray(one) || isArray(other)) {
    return isArray(one) && isArray(other) && one.length === other.length && one.every((element, index) => sameJson(element, other[index]));
  }
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  return names.every((name) => Object.hasOwn(other, name) && sameJson(one[name], other[name]));
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
