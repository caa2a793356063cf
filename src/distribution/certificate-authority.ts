// The certificate library needs this polyfill to be evaluated before it.
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { Clock } from '../lib/clock.ts';
import { formatInstanceUri } from './instance-name.ts';
import { readPublicKey } from './key-possession.ts';

/** A certificate and its private key (PKCS #8), both PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A certificate for a key that stays with its owner. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Wall clock in milliseconds. */
  readonly expiresAtMs: number;
}

/** What a server is called, and how long its certificate holds. */
export interface ServerCertificateRequest {
  /** Host names and IP addresses; the first is the subject. */
  readonly names: readonly string[];
  readonly lifetimeDays?: number;
}

const DAY_MS = 86_400_000;
const AUTHORITY_LIFETIME_DAYS = 3650;
const SERVER_LIFETIME_DAYS = 825;
/** How long a certificate of an instance holds. */
export const INSTANCE_LIFETIME_DAYS = 90;
/** A certificate holds from a little earlier on, for peers whose clock is late. */
const BACKDATED_MS = 5 * 60_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const AUTHORITY_NAME = 'Portcullis sync authority';

/** Makes the authority that certifies both ends of the sync connections of one installation: ECDSA P-256, ten years. */
export async function createAuthority(clock: Clock): Promise<CertificatePair> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [AUTHORITY_NAME] }],
    ...validity(clock, AUTHORITY_LIFETIME_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: await authorityExtensions(keys.publicKey),
  });
  return pair(certificate, keys.privateKey);
}

/**
 * Certifies an authority by the one that it follows: whoever trusts only the former then believes what the new one has signed. Both have the
 * same name, so the certificate counts as self-issued (RFC 5280 §3.2) and the former's path length of 0 lets it pass. It ends with the former.
 */
export async function crossCertify(former: CertificatePair, authority: CertificatePair): Promise<string> {
  const issuer = new X509Certificate(former.certificate);
  const subject = new X509Certificate(authority.certificate);
  const certificate = await X509CertificateGenerator.create({
    subject: subject.subjectName,
    issuer: issuer.subjectName,
    notBefore: subject.notBefore,
    notAfter: issuer.notAfter,
    publicKey: subject.publicKey,
    signingKey: createPrivateKey(former.privateKey).toCryptoKey(ALGORITHM, false, ['sign']),
    signingAlgorithm: ALGORITHM,
    extensions: [...(await authorityExtensions(subject.publicKey)), await AuthorityKeyIdentifierExtension.create(issuer.publicKey)],
  });
  return pem(certificate);
}

/**
 * Makes a key and a certificate for a server, signed by the authority; it is no good for a client. It holds from when the authority does, so that one
 * that is made while the clock is ahead is believed when the clock has been set right.
 */
export async function issueServerCertificate(
  authority: CertificatePair,
  request: ServerCertificateRequest,
  clock: Clock,
): Promise<CertificatePair> {
  const keys = await makeKeys();
  const { notBefore } = new X509Certificate(authority.certificate);
  const issued = await issue(authority, {
    subject: request.names[0] ?? 'localhost',
    publicKey: keys.publicKey,
    period: { ...validity(clock, request.lifetimeDays ?? SERVER_LIFETIME_DAYS), notBefore },
    extensions: serverExtensions(request.names),
  });
  return pair(issued, keys.privateKey);
}

/**
 * Certifies an instance's public key for one group, for 90 days; the certificate is no good for a server.
 *
 * @param request.publicKey SPKI as PEM: EC P-256 or Ed25519
 * @throws Error for any other key, and for names that are empty or no valid text
 */
export async function issueInstanceCertificate(
  authority: CertificatePair,
  request: { readonly groupId: string; readonly instanceId: string; readonly publicKey: string },
  clock: Clock,
): Promise<IssuedCertificate> {
  const key = readPublicKey(request.publicKey);
  const period = validity(clock, INSTANCE_LIFETIME_DAYS);
  const certificate = await issue(authority, {
    subject: 'Portcullis gateway instance',
    publicKey: new PublicKey(key.export({ type: 'spki', format: 'der' })),
    period,
    extensions: [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([{ type: 'url', value: formatInstanceUri(request) }]),
    ],
  });
  return { certificate: pem(certificate), expiresAtMs: period.notAfter.getTime() };
}

/** Makes a server certificate signed by its own key, so that a client that does not know it says just that (`DEPTH_ZERO_SELF_SIGNED_CERT`). */
export async function createSelfSignedCertificate(request: ServerCertificateRequest, clock: Clock): Promise<CertificatePair> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName(request.names[0] ?? 'localhost')] }],
    ...validity(clock, request.lifetimeDays ?? SERVER_LIFETIME_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [...leafExtensions(), ...serverExtensions(request.names)],
  });
  return pair(certificate, keys.privateKey);
}

interface Leaf {
  readonly subject: string;
  readonly publicKey: PublicKey | webcrypto.CryptoKey;
  readonly period: { readonly notBefore: Date; readonly notAfter: Date };
  readonly extensions: readonly Extension[];
}

async function issue(authority: CertificatePair, leaf: Leaf): Promise<X509Certificate> {
  const issuer = new X509Certificate(authority.certificate);
  return X509CertificateGenerator.create({
    subject: [{ CN: [commonName(leaf.subject)] }],
    issuer: issuer.subjectName,
    ...leaf.period,
    publicKey: leaf.publicKey,
    signingKey: createPrivateKey(authority.privateKey).toCryptoKey(ALGORITHM, false, ['sign']),
    signingAlgorithm: ALGORITHM,
    extensions: [...leafExtensions(), await AuthorityKeyIdentifierExtension.create(issuer.publicKey), ...leaf.extensions],
  });
}

async function authorityExtensions(publicKey: PublicKey | webcrypto.CryptoKey): Promise<Extension[]> {
  return [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    await SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

function leafExtensions(): readonly Extension[] {
  return [new BasicConstraintsExtension(false, undefined, true), new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)];
}

function serverExtensions(names: readonly string[]): readonly Extension[] {
  const alternatives = names.map((value): JsonGeneralName => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }));
  return [new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]), new SubjectAlternativeNameExtension(alternatives)];
}

function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(clock.nowMs() - BACKDATED_MS), notAfter: new Date(clock.nowMs() + days * DAY_MS) };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** X.520 gives a common name 64 characters; clients look at the alternative names anyway. */
function commonName(name: string): string {
  return name.slice(0, 64);
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function pair(certificate: X509Certificate, privateKey: webcrypto.CryptoKey): Promise<CertificatePair> {
  const key = createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)), format: 'der', type: 'pkcs8' });
  return { certificate: pem(certificate), privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
