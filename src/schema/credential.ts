import type { JsonValue } from '../lib/json.ts';
import { describingFields, idField, nameField, pluginsField } from './fields.ts';
import { Type } from './schema-builder.ts';

/**
 * A credential of a consumer: API7's OpenAPI document, credential body. It holds exactly one plugin, of type auth.
 * The name is optional on a write with an id; answers then show the id in its place.
 */
export const credentialSchema = Type.Object({
  id: Type.Optional(idField),
  name: Type.Optional(nameField),
  ...describingFields,
  plugins: Type.Unsafe<Readonly<Record<string, JsonValue>>>({ ...pluginsField, minProperties: 1, maxProperties: 1 }),
});
