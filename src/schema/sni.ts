import type { JsonObject } from '../lib/json.ts';
import { describingFields, freeObjectField, hostPatternField, idField, nameField, pluginsField } from './fields.ts';
import { appendPointer, type Issue } from './issue.ts';
import type { ResourceReference } from './resource-kind.ts';
import { type Static, Type } from './schema-builder.ts';

const MAX_CERTIFICATES = 16;

/** A server name and the certificates it is served with, which other names may share: API7's SNI body. */
export const sniSchema = Type.Object({
  id: Type.Optional(idField),
  name: Type.Optional(nameField),
  ...describingFields,
  domain: hostPatternField,
  certificates: Type.Optional(Type.Array(idField, { minItems: 1, maxItems: MAX_CERTIFICATES, uniqueItems: true })),
  mtls: Type.Optional(freeObjectField),
  plugins: Type.Optional(pluginsField),
});

/** What the schema cannot say: no plugin runs for a server name alone. */
export function checkSni({ plugins = {} }: Static<typeof sniSchema>): readonly Issue[] {
  return Object.keys(plugins).map((name) => ({
    pointer: appendPointer('/plugins', name),
    message: 'plugins on an SNI are not supported by this version',
  }));
}

export function referencesOfSni({ certificates }: JsonObject): readonly ResourceReference[] {
  if (!Array.isArray(certificates)) return [];
  return certificates.flatMap((id) => (typeof id === 'string' ? [{ kind: 'certificate', id }] : []));
}

/** One SNI object speaks for a name; two could contradict each other. */
export function domainOfSni({ domain }: JsonObject): readonly string[] {
  return typeof domain === 'string' ? [domain.toLowerCase()] : [];
}
