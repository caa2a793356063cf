import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import { appendPointer, isJsonObject } from '../../schema/index.ts';
import { refusePatch } from './patch-budget.ts';

/** A document whose secrets are replaced by texts that nobody can guess, and the way back. */
export interface HiddenSecrets {
  readonly document: JsonObject;
  /**
   * Puts the secrets back where a patch left their texts. `secretPointers` tells where the patched document may hold secrets: a patch that
   * took one elsewhere, where answers would show it, is refused.
   *
   * @throws PortcullisError 400
   */
  restore(patched: JsonObject, secretPointers: (document: JsonObject) => readonly string[]): JsonObject;
}

/** Hides the texts at some pointers from a patch: it can neither be made to show nor to guess (`test`) what no answer gives back. */
export function hideSecrets(document: JsonObject, pointers: readonly string[], random: Random): HiddenSecrets {
  if (pointers.length === 0) return { document, restore: (patched) => patched };
  const nonce = random.bytes(24).toString('base64url');
  const secrets = new Map<string, string>();
  const collect = (value: JsonValue, pointer: string): JsonValue => {
    if (!pointers.includes(pointer) || typeof value !== 'string') return value;
    const text = `${nonce}.${secrets.size}`;
    secrets.set(text, value);
    return text;
  };
  return {
    document: mapTexts(document, collect),
    restore: (patched, secretPointers) => {
      const places: string[] = [];
      const restored = mapTexts(patched, (value, pointer) => {
        const secret = typeof value === 'string' ? secrets.get(value) : undefined;
        if (secret === undefined) return value;
        places.push(pointer);
        return secret;
      });
      const allowed = new Set(secretPointers(restored));
      const misplaced = places.find((place) => !allowed.has(place));
      if (misplaced !== undefined) throw refusePatch(misplaced, 'a secret cannot be taken to another field');
      return restored;
    },
  };
}

function mapTexts(document: JsonObject, change: (value: JsonValue, pointer: string) => JsonValue): JsonObject {
  const map = (value: JsonValue, pointer: string): JsonValue => {
    if (typeof value !== 'object' || value === null) return change(value, pointer);
    if (!isJsonObject(value)) return value.map((element, index) => map(element, appendPointer(pointer, index)));
    return mapFields(value, pointer);
  };
  const mapFields = (object: JsonObject, pointer: string): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([name, field]) => [name, map(field, appendPointer(pointer, name))]));
  return mapFields(document, '');
}
