import type { JsonObject } from '../lib/json.ts';
import { validityFields, withoutPrivateKeys } from './certificate.ts';
import { describingFields, hostPatternField, idField, pemField, privateKeyField, statusField } from './fields.ts';
import { appendPointer, type Issue } from './issue.ts';
import { checkCertificate, checkCertificatePair, checkKeyLength, readCertificates, warningsForCertificate } from './read-certificate.ts';
import { type Static, Type } from './schema-builder.ts';
import { isSecretReference } from './secret-reference.ts';

/** Further certificates of the same names, each for another kind of key. */
const MAX_CERTIFICATES = 16;
const MORE = { minItems: 1, maxItems: MAX_CERTIFICATES };

/**
 * Server names with their certificates and keys, or (`type: client`) the certificate by which gateways are known to upstreams: API7's SSL
 * body. Certificates are kept byte for byte, because clients compare them.
 */
export const sslSchema = Type.Object({
  id: Type.Optional(idField),
  ...describingFields,
  type: Type.Optional(Type.Unsafe<'server' | 'client'>({ type: 'string', enum: ['server', 'client'] })),
  snis: Type.Optional(Type.Array(hostPatternField, { minItems: 1, uniqueItems: true })),
  cert: Type.Optional(pemField),
  key: Type.Optional(privateKeyField),
  certs: Type.Optional(Type.Array(pemField, MORE)),
  keys: Type.Optional(Type.Array(privateKeyField, MORE)),
  client: Type.Optional(
    Type.Object({
      ca: pemField,
      depth: Type.Optional(Type.Integer({ minimum: 0, default: 1 })),
      skip_mtls_uri_regex: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, uniqueItems: true })),
    }),
  ),
  ssl_protocols: Type.Optional(
    Type.Array(Type.Unsafe<string>({ type: 'string', enum: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] }), { minItems: 1, uniqueItems: true }),
  ),
  status: Type.Optional(statusField),
});

type SslDocument = Static<typeof sslSchema>;

interface PlacedText {
  readonly text: string;
  readonly pointer: string;
}

/** What the schema cannot say: each certificate has its key, a server has names, and what certifies clients is a certificate. */
export function checkSsl(ssl: SslDocument): readonly Issue[] {
  const { snis, cert, key, certs = [], keys = [], client } = ssl;
  const issues: Issue[] = [];
  if (ssl.type !== 'client' && snis === undefined) issues.push(missing('snis'));
  if (cert === undefined && (key !== undefined || certs.length === 0)) issues.push(missing('cert'));
  if (key === undefined && (cert !== undefined || keys.length === 0)) issues.push(missing('key'));
  if (certs.length !== keys.length) issues.push({ pointer: '/keys', message: 'there must be as many keys as certs' });
  if (cert !== undefined && key !== undefined)
    issues.push(...checkCertificatePair({ text: cert, pointer: '/cert' }, { text: key, pointer: '/key' }));
  certs.forEach((text, index) => {
    const keyText = keys[index];
    const placed = { text, pointer: appendPointer('/certs', index) };
    if (keyText !== undefined) issues.push(...checkCertificatePair(placed, { text: keyText, pointer: appendPointer('/keys', index) }));
  });
  issues.push(...certificatesOf(ssl).flatMap(checkKeyLength));
  if (client !== undefined) issues.push(...checkCertificate(client.ca, '/client/ca'));
  if (ssl.ssl_protocols?.every((version) => version === 'TLSv1.1'))
    issues.push({ pointer: '/ssl_protocols', message: 'TLSv1.1 is not offered to anybody (RFC 8996): name TLSv1.2 or TLSv1.3' });
  return issues;
}

export function warningsForSsl(ssl: SslDocument, nowMs: number | undefined): readonly string[] {
  const old = ssl.ssl_protocols?.includes('TLSv1.1') === true ? ['/ssl_protocols names TLSv1.1, which is not offered to anybody'] : [];
  return [...old, ...certificatesOf(ssl).flatMap(({ text, pointer }) => warningsForCertificate(text, pointer, nowMs))];
}

/** The pointers of the private keys in it. References are none. */
export function secretPointersOfSsl({ key, keys }: JsonObject): readonly string[] {
  const more = Array.isArray(keys) ? keys.map((text, index): [unknown, string] => [text, appendPointer('/keys', index)]) : [];
  const all: readonly (readonly [unknown, string])[] = [[key, '/key'], ...more];
  return all.filter(([text]) => typeof text === 'string' && !isSecretReference(text)).map(([, pointer]) => pointer);
}

/** A certificate of a server stands in one SSL object of a group (API7 since 3.2.13); here are its fingerprints. */
export function fingerprintsOfSsl(ssl: JsonObject): readonly string[] {
  if (ssl.type === 'client') return [];
  return certificatesOf(ssl).flatMap(({ text }) => readCertificates(text)?.[0].fingerprint256 ?? []);
}

/** The SSL object as answers show it: without private keys, and with the times between which its first certificate holds (Unix seconds). */
export function presentSsl(document: JsonObject, id: string): JsonObject {
  return { ...validityFields(certificatesOf(document)[0]?.text), ...withoutPrivateKeys(document), id };
}

function certificatesOf({ cert, certs }: { readonly cert?: unknown; readonly certs?: unknown }): readonly PlacedText[] {
  const more = Array.isArray(certs) ? certs.map((text: unknown, index) => ({ text, pointer: appendPointer('/certs', index) })) : [];
  return [{ text: cert, pointer: '/cert' }, ...more].flatMap(({ text, pointer }) => (typeof text === 'string' ? [{ text, pointer }] : []));
}

function missing(field: string): Issue {
  return { pointer: `/${field}`, message: `property "${field}" is missing` };
}
