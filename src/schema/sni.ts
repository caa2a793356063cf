import type { JsonObject, JsonValue } from '../lib/json.ts';
import { isJsonObject } from './copy-document.ts';
import { describingFields, hostPatternField, idField, nameField, pemField, pluginsField } from './fields.ts';
import { appendPointer, type Issue } from './issue.ts';
import { checkCertificate } from './read-certificate.ts';
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
  mtls: Type.Optional(
    Type.Object({
      ca: Type.Optional(pemField),
      ca_certificates: Type.Optional(Type.Array(idField, { minItems: 1, uniqueItems: true })),
      depth: Type.Optional(Type.Integer({ minimum: 0, default: 1 })),
      skip_mtls_uri_regex: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true })),
    }),
  ),
  plugins: Type.Optional(pluginsField),
});

type SniDocument = Static<typeof sniSchema>;

/** What the schema cannot say: no plugin runs for a server name alone, and clients are certified by somebody. */
export function checkSni({ plugins = {}, mtls }: SniDocument): readonly Issue[] {
  const issues: Issue[] = Object.keys(plugins).map((name) => ({
    pointer: appendPointer('/plugins', name),
    message: 'plugins on an SNI are not supported by this version',
  }));
  if (mtls === undefined) return issues;
  if (mtls.ca === undefined && mtls.ca_certificates === undefined)
    return [...issues, { pointer: '/mtls/ca', message: 'one of ca and ca_certificates must be there' }];
  return mtls.ca === undefined ? issues : [...issues, ...checkCertificate(mtls.ca, '/mtls/ca')];
}

export function warningsForSni({ certificates }: SniDocument): readonly string[] {
  return certificates === undefined ? ['the SNI is not served as long as it names no certificate'] : [];
}

export function referencesOfSni({ certificates, mtls }: JsonObject): readonly ResourceReference[] {
  const authorities = isJsonObject(mtls) ? mtls.ca_certificates : undefined;
  return [...named('certificate', certificates), ...named('ca_certificate', authorities)];
}

function named(kind: 'certificate' | 'ca_certificate', ids: JsonValue | undefined): readonly ResourceReference[] {
  return Array.isArray(ids) ? ids.flatMap((id) => (typeof id === 'string' ? [{ kind, id }] : [])) : [];
}

/** One SNI object speaks for a name; two could contradict each other. */
export function domainOfSni({ domain }: JsonObject): readonly string[] {
  return typeof domain === 'string' ? [domain.toLowerCase()] : [];
}
