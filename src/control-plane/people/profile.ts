import type { JsonObject, JsonValue } from '../../lib/json.ts';

/** What is kept of a user besides what signing in and permissions need; absent fields are left out. */
export function profileOf(fields: {
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly desc: JsonValue | undefined;
  readonly labels: JsonValue | undefined;
}): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
}
