import type { JsonValue } from '../lib/json.ts';

/** The texts of a list in a configuration that its schema has accepted; none where the field is absent. */
export function textList(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
