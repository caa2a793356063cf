import {
  caCertificateSchema,
  certificateSchema,
  checkCaCertificate,
  checkCertificateDocument,
  presentCertificate,
  secretPointersOfCertificate,
  VALIDITY_FIELDS,
  warningsForCaCertificate,
} from './certificate.ts';
import { idField } from './fields.ts';
import { warningsForCertificate } from './read-certificate.ts';
import { defineResourceKind } from './resource-kind.ts';
import { checkSni, domainOfSni, referencesOfSni, sniSchema, warningsForSni } from './sni.ts';
import { checkSsl, fingerprintsOfSsl, presentSsl, secretPointersOfSsl, sslSchema, warningsForSsl } from './ssl.ts';

const USUAL = { parent: undefined, idSchema: idField, idField: 'id', bodyIdFields: ['id'], pluginSite: undefined } as const;

export const ssl = defineResourceKind({
  ...USUAL,
  name: 'ssl',
  collection: 'ssls',
  schema: sslSchema,
  check: checkSsl,
  warnings: (document, nowMs) => warningsForSsl(document, nowMs),
  secretPointers: secretPointersOfSsl,
  uniqueValues: (document) => fingerprintsOfSsl(document).map((value) => ({ space: 'ssl certificate', value })),
  answerFields: VALIDITY_FIELDS,
  present: presentSsl,
});

export const certificate = defineResourceKind({
  ...USUAL,
  name: 'certificate',
  collection: 'certificates',
  schema: certificateSchema,
  check: checkCertificateDocument,
  warnings: ({ cert }, nowMs) => warningsForCertificate(cert, '/cert', nowMs),
  secretPointers: secretPointersOfCertificate,
  answerFields: VALIDITY_FIELDS,
  present: presentCertificate,
});

export const caCertificate = defineResourceKind({
  ...USUAL,
  name: 'ca_certificate',
  collection: 'ca_certificates',
  schema: caCertificateSchema,
  check: checkCaCertificate,
  warnings: (document, nowMs) => warningsForCaCertificate(document, nowMs),
  answerFields: VALIDITY_FIELDS,
  present: presentCertificate,
});

export const sni = defineResourceKind({
  ...USUAL,
  name: 'sni',
  collection: 'snis',
  schema: sniSchema,
  check: checkSni,
  warnings: warningsForSni,
  uniqueValues: (document) => domainOfSni(document).map((value) => ({ space: 'sni domain', value })),
  references: referencesOfSni,
  present: (document, id) => ({ ...document, id }),
});
