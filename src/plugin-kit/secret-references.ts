import type { JsonValue } from '../lib/json.ts';
import { appendPointer, type Issue } from '../schema/index.ts';

const REFERENCE = /^\$(?:secret|env):\/\//i;

/**
 * Texts that APISIX would replace by a secret (`$secret://…`, `$env://…`). They are refused as long as nothing resolves them:
 * taken literally, such a text would be a key that everybody can guess.
 */
export function checkSecretReferences(value: JsonValue, pointer = ''): readonly Issue[] {
  if (typeof value === 'string') {
    return REFERENCE.test(value) ? [{ pointer, message: 'a secret reference is not supported by this version' }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => checkSecretReferences(field, appendPointer(pointer, name)));
}
