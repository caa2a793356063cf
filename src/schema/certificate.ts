import type { JsonObject } from '../lib/json.ts';
import { describingFields, idField, nameField, pemField, privateKeyField } from './fields.ts';
import type { Issue } from './issue.ts';
import {
  checkCertificate,
  checkCertificatePair,
  checkKeyLength,
  readCertificates,
  validityOf,
  warningsForCertificate,
} from './read-certificate.ts';
import { type Static, Type } from './schema-builder.ts';
import { isSecretReference } from './secret-reference.ts';

/** A certificate with its private key, for SNIs and for upstreams that ask for one: API7's certificate body. */
export const certificateSchema = Type.Object({
  id: Type.Optional(idField),
  name: Type.Optional(nameField),
  ...describingFields,
  cert: pemField,
  key: privateKeyField,
});

/** A certificate of an authority that peers are checked against: API7's CA certificate body. */
export const caCertificateSchema = Type.Object({
  id: Type.Optional(idField),
  name: Type.Optional(nameField),
  ...describingFields,
  cert: pemField,
});

type CaCertificateDocument = Static<typeof caCertificateSchema>;

/** Fields that answers show of what stands in the certificate. */
export const VALIDITY_FIELDS = ['validity_start', 'validity_end', 'exptime'] as const;

/** Certificate and key must be what they are called, and belong together. */
export function checkCertificateDocument({ cert, key }: Static<typeof certificateSchema>): readonly Issue[] {
  const own = { text: cert, pointer: '/cert' };
  return [...checkCertificatePair(own, { text: key, pointer: '/key' }), ...checkKeyLength(own)];
}

export function checkCaCertificate({ cert }: CaCertificateDocument): readonly Issue[] {
  return checkCertificate(cert, '/cert');
}

export function warningsForCaCertificate({ cert }: CaCertificateDocument, nowMs: number | undefined): readonly string[] {
  const isAuthority = readCertificates(cert)?.[0].ca;
  const warnings = isAuthority === false ? ['/cert is not the certificate of an authority'] : [];
  return [...warnings, ...warningsForCertificate(cert, '/cert', nowMs)];
}

/** The pointer of a private key; a reference to one is no secret. */
export function secretPointersOfCertificate({ key }: JsonObject): readonly string[] {
  return typeof key === 'string' && !isSecretReference(key) ? ['/key'] : [];
}

/** The certificate as answers show it: without its private key, and with the times between which it holds (Unix seconds). */
export function presentCertificate(document: JsonObject, id: string): JsonObject {
  return { ...validityFields(document.cert), ...withoutPrivateKeys(document), id };
}

/** A document without the private keys in `key` and `keys`; references to keys stay. */
export function withoutPrivateKeys(document: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(document).filter(([name, value]) => {
      if (name === 'key') return typeof value === 'string' && isSecretReference(value);
      return name !== 'keys' || (Array.isArray(value) && value.every((key) => typeof key === 'string' && isSecretReference(key)));
    }),
  );
}

/** `VALIDITY_FIELDS` of a PEM text; nothing for what is none. */
export function validityFields(pem: unknown): JsonObject {
  const validity = typeof pem === 'string' ? validityOf(pem) : undefined;
  return validity === undefined ? {} : { validity_start: validity.from, validity_end: validity.to, exptime: validity.to };
}
