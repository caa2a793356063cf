// The certificate library needs this polyfill to be evaluated before it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type Extension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { TestCertificate } from './test-certificate.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 };

/** What a certificate says, where it is not the usual. */
export interface TestCertificateOptions {
  /** Empty: the certificate names nobody. */
  readonly commonName?: string;
  /** Names and addresses that it is for. */
  readonly names?: readonly string[];
  readonly keyType?: 'ecdsa' | 'rsa';
  /** Of an RSA key: 2048 unless said. */
  readonly rsaBits?: number;
  /** From a minute ago for a day, unless said. */
  readonly notAfter?: Date;
}

/** An authority made for one test, with which certificates of servers and clients are issued. */
export class TestAuthority {
  readonly #certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  /** Those between it and the root, from itself on; empty for a root. */
  readonly #chain: readonly string[];

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair, chain: readonly string[]) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.#chain = chain;
  }

  static async create(commonName = 'test root'): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${commonName}`,
      ...validity(undefined),
      keys,
      signingAlgorithm: ECDSA,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new TestAuthority(certificate, keys, []);
  }

  /** What peers trust, PEM. */
  get cert(): string {
    return this.#certificate.toString('pem');
  }

  /** An authority that this one vouches for; what it issues comes with the chain. */
  async intermediate(commonName: string): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
    const certificate = await this.#issue(keys, { commonName }, [new BasicConstraintsExtension(true, undefined, true)]);
    return new TestAuthority(certificate, keys, [certificate.toString('pem'), ...this.#chain]);
  }

  /** A further certificate of an intermediate authority's name and key, as it has before or after a renewal. PEM. */
  async certifyAgain(intermediate: TestAuthority, notAfter?: Date): Promise<string> {
    const options = { commonName: intermediate.#certificate.subject.replace('CN=', ''), ...(notAfter === undefined ? {} : { notAfter }) };
    const certificate = await this.#issue(intermediate.#keys, options, [new BasicConstraintsExtension(true, undefined, true)]);
    return certificate.toString('pem');
  }

  /** A further certificate of the same name and key, which nobody else vouches for. PEM. */
  async certifiedByItself(notAfter?: Date): Promise<string> {
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: this.#certificate.subject,
      ...validity(notAfter),
      keys: this.#keys,
      signingAlgorithm: ECDSA,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return certificate.toString('pem');
  }

  /** A certificate with its key, and with the intermediate ones behind it. */
  async issue(options: TestCertificateOptions = {}): Promise<TestCertificate> {
    const { names = [], keyType = 'ecdsa', rsaBits = RSA.modulusLength } = options;
    const algorithm = keyType === 'rsa' ? { ...RSA, modulusLength: rsaBits } : ECDSA;
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const entries = names.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value }));
    const extensions = entries.length === 0 ? [] : [new SubjectAlternativeNameExtension(entries)];
    const certificate = await this.#issue(keys, options, extensions);
    const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { cert: [certificate.toString('pem'), ...this.#chain].join('\n'), key: PemConverter.encode(key, 'PRIVATE KEY') };
  }

  #issue(
    keys: webcrypto.CryptoKeyPair,
    { commonName, names, notAfter }: TestCertificateOptions,
    extensions: Extension[],
  ): Promise<X509Certificate> {
    return X509CertificateGenerator.create({
      subject: commonName === '' ? '' : `CN=${commonName ?? names?.[0] ?? 'test'}`,
      issuer: this.#certificate.subject,
      ...validity(notAfter),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ECDSA,
      extensions,
    });
  }
}

function validity(notAfter: Date | undefined): { readonly notBefore: Date; readonly notAfter: Date } {
  const end = notAfter ?? new Date(Date.now() + 86_400_000);
  return { notBefore: new Date(Math.min(Date.now(), end.getTime()) - 60_000), notAfter: end };
}

function isAddress(value: string): boolean {
  return /^[\d.]+$/.test(value) || value.includes(':');
}
