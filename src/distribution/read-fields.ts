import type { JsonObject } from '../lib/json.ts';
import { ProtocolError } from './frame-codec.ts';

/** An object that came from outside: nothing is known of its fields. */
export type UnknownFields = Readonly<Record<string, unknown>>;

/** @throws ProtocolError when the text is no JSON or not an object */
export function parseObject(text: string): UnknownFields {
  return asObject(parseJson(text), 'a message');
}

/** @throws ProtocolError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold what no log should.
    throw new ProtocolError('a message is not valid JSON');
  }
}

/** @throws ProtocolError */
export function asObject(value: unknown, what: string): UnknownFields {
  if (!isObject(value)) throw new ProtocolError(`${what} is not an object`);
  return value;
}

/** @throws ProtocolError */
export function asJsonObject(value: unknown, what: string): JsonObject {
  // The value was parsed from JSON text, so whatever an object holds is JSON too.
  return asObject(value, what) as JsonObject;
}

/** @throws ProtocolError */
export function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ProtocolError(`${what} is not an array`);
  return value;
}

/** @throws ProtocolError */
export function readString(fields: UnknownFields, name: string): string {
  const value = own(fields, name);
  if (typeof value !== 'string') throw new ProtocolError(`the field ${name} is not a string`);
  return value;
}

/** A revision, a count or a time: a whole number that is not negative. @throws ProtocolError */
export function readCount(fields: UnknownFields, name: string): number {
  const value = own(fields, name);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new ProtocolError(`the field ${name} is not a whole number`);
  }
  return value;
}

/** True, false, or undefined where the field is absent. @throws ProtocolError */
export function readFlag(fields: UnknownFields, name: string): boolean | undefined {
  const value = own(fields, name);
  if (value !== undefined && typeof value !== 'boolean') throw new ProtocolError(`the field ${name} is neither true nor false`);
  return value;
}

/** The field `history` of a message or record, where there is one. @throws ProtocolError */
export function readHistory(fields: UnknownFields): { readonly history?: string } {
  return own(fields, 'history') === undefined ? {} : { history: readString(fields, 'history') };
}

/** The field itself, never one that the prototype has. */
export function own(fields: UnknownFields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isObject(value: unknown): value is UnknownFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
