import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject } from '../../schema/index.ts';
import { SecretError } from './secret-error.ts';

/** The fields of one secret. */
export type SecretContent = ReadonlyMap<string, string>;

/** A field that can stand for a text: text, number or boolean. */
export function fieldText(fields: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

export function contentOf(fields: JsonObject): SecretContent {
  return new Map(
    Object.keys(fields).flatMap((name): [string, string][] => {
      const text = fieldText(fields, name);
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

/** The fields of a JSON object. @throws SecretError when the text is none; what it says is not told */
export function contentOfText(text: string): SecretContent {
  return contentOf(parseObject(text, 'the secret is not a JSON object'));
}

/** @throws SecretError with `problem` */
export function parseObject(text: string, problem: string): JsonObject {
  try {
    const value = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // The parser's own message quotes the text.
  }
  throw new SecretError('failed', problem);
}
