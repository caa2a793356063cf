import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Issue } from './issue.ts';
import { isSecretReference, parseSecretReference } from './secret-reference.ts';

/** When a certificate holds, in Unix seconds. */
export interface CertificateValidity {
  readonly from: number;
  readonly to: number;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
/** OpenSSL, at the security level that TLS has by default, takes no shorter RSA key. */
const MIN_RSA_BITS = 2048;

/** The certificates of a PEM text, the server's own first and what certifies it after it; undefined when it holds none, or a broken one. */
export function readCertificates(pem: string): readonly [X509Certificate, ...(readonly X509Certificate[])] | undefined {
  try {
    const [first, ...rest] = (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
    return first === undefined ? undefined : [first, ...rest];
  } catch {
    return undefined;
  }
}

/** When the first certificate of a PEM text holds; undefined for what is none, such as a reference. */
export function validityOf(pem: string): CertificateValidity | undefined {
  const first = readCertificates(pem)?.[0];
  if (first === undefined) return undefined;
  return { from: Math.floor(first.validFromDate.getTime() / 1000), to: Math.floor(first.validToDate.getTime() / 1000) };
}

/** What is wrong with a field that holds one certificate or a chain. Gateways find out what a well-formed reference stands for. */
export function checkCertificate(text: string, pointer: string): readonly Issue[] {
  if (isSecretReference(text)) return checkReference(text, pointer);
  if (readCertificates(text) !== undefined) return [];
  return [{ pointer, message: 'value must be a certificate in PEM form' }];
}

/** What is wrong with a certificate and its private key, each at its place; where both can be read, the key must be that of the certificate. */
export function checkCertificatePair(
  certificate: { readonly text: string; readonly pointer: string },
  key: { readonly text: string; readonly pointer: string },
): readonly Issue[] {
  const certificateIssues = checkCertificate(certificate.text, certificate.pointer);
  if (isSecretReference(key.text)) return [...certificateIssues, ...checkReference(key.text, key.pointer)];
  const read = readPrivateKey(key.text);
  if (!read.ok) return [...certificateIssues, { pointer: key.pointer, message: read.problem }];
  const owner = readCertificates(certificate.text)?.[0];
  if (owner === undefined || owner.checkPrivateKey(read.key)) return certificateIssues;
  return [...certificateIssues, { pointer: key.pointer, message: 'the private key does not belong to the certificate' }];
}

/** What is wrong with the key of a certificate that is to be served: OpenSSL takes none with a shorter one, in gateways as in nginx. */
export function checkKeyLength({ text, pointer }: { readonly text: string; readonly pointer: string }): readonly Issue[] {
  const bits = rsaBitsOf(readCertificates(text)?.[0]);
  if (bits === undefined || bits >= MIN_RSA_BITS) return [];
  return [
    { pointer, message: `the RSA key has ${bits} bits, and TLS refuses less than ${MIN_RSA_BITS}: issue the certificate for a longer key` },
  ];
}

function rsaBitsOf(certificate: X509Certificate | undefined): number | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate?.publicKey ?? {};
  return asymmetricKeyType === 'rsa' || asymmetricKeyType === 'rsa-pss' ? asymmetricKeyDetails?.modulusLength : undefined;
}

/** What a writer should know of a certificate that is accepted. `nowMs` is absent where the time is not known. */
export function warningsForCertificate(text: string, pointer: string, nowMs: number | undefined): readonly string[] {
  const first = readCertificates(text)?.[0];
  if (first === undefined) return [];
  const warnings: string[] = [];
  if (nowMs !== undefined && first.validToDate.getTime() <= nowMs) warnings.push(`${pointer} has expired`);
  if (nowMs !== undefined && first.validFromDate.getTime() > nowMs) warnings.push(`${pointer} is not valid yet`);
  const bits = rsaBitsOf(first);
  if (bits !== undefined && bits < MIN_RSA_BITS)
    warnings.push(`${pointer} has an RSA key of less than ${MIN_RSA_BITS} bits, which TLS refuses`);
  return warnings;
}

function readPrivateKey(pem: string): { readonly ok: true; readonly key: KeyObject } | { readonly ok: false; readonly problem: string } {
  if (pem.includes('ENCRYPTED')) return { ok: false, problem: 'the private key must not be encrypted with a passphrase' };
  try {
    return { ok: true, key: createPrivateKey({ key: pem, format: 'pem' }) };
  } catch {
    // What OpenSSL says of it may quote the text.
    return { ok: false, problem: 'value must be a private key in PEM form' };
  }
}

function checkReference(text: string, pointer: string): readonly Issue[] {
  const parsed = parseSecretReference(text);
  return parsed.ok ? [] : [{ pointer, message: parsed.problem }];
}
