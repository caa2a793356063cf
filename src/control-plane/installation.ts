import { type CertificatePair, createAuthority, createSigningKey } from '../distribution/index.ts';
import type { Clock } from '../lib/clock.ts';
import { DIGEST_BYTES } from '../lib/key-digest.ts';
import type { Random } from '../lib/random.ts';
import type { StoreReader, StoreTransaction } from '../store/index.ts';

const KEY_SALT = 'key-salt';
const AUTHORITY_CERTIFICATE = 'sync-authority-certificate';
const AUTHORITY_KEY = 'sync-authority-key';
const SIGNING_KEY = 'signing-key';

/** What all control planes of an installation share. Everything but the authority's certificate is secret. */
export interface Installation {
  /** Salt of `digestKey`. */
  readonly keySalt: Buffer;
  /** Certifies gateway instances and the sync server, until another one takes its place (`joining/authorities.ts`). */
  readonly authority: CertificatePair;
  /** Ed25519 private key (PKCS #8, PEM) that signs what gateways receive. */
  readonly signingKey: string;
}

/** Makes the secrets of a new installation. */
export async function makeInstallation(clock: Clock, random: Random): Promise<Installation> {
  return { keySalt: random.bytes(DIGEST_BYTES), authority: await createAuthority(clock), signingKey: createSigningKey() };
}

/** Puts them into the store, encrypted. */
export async function writeInstallation(transaction: StoreTransaction, installation: Installation): Promise<void> {
  const { keySalt, authority, signingKey } = installation;
  await transaction.putSetting(KEY_SALT, keySalt, { secret: true });
  await writeIssuingAuthority(transaction, authority);
  await transaction.putSetting(SIGNING_KEY, Buffer.from(signingKey), { secret: true });
}

/** Reads them; undefined as long as no first start has been completed. */
export async function readInstallation(store: Pick<StoreReader, 'getSetting'>): Promise<Installation | undefined> {
  const keySalt = await store.getSetting(KEY_SALT);
  const authority = await readIssuingAuthority(store);
  const signingKey = await store.getSetting(SIGNING_KEY);
  if (keySalt === undefined || authority === undefined || signingKey === undefined) return undefined;
  return { keySalt, authority, signingKey: signingKey.toString() };
}

/** The authority that certifies everybody from now on. */
export async function writeIssuingAuthority(transaction: StoreTransaction, authority: CertificatePair): Promise<void> {
  await transaction.putSetting(AUTHORITY_CERTIFICATE, Buffer.from(authority.certificate), { secret: false });
  await transaction.putSetting(AUTHORITY_KEY, Buffer.from(authority.privateKey), { secret: true });
}

/** Reads it; undefined as long as no first start has been completed. */
export async function readIssuingAuthority(store: Pick<StoreReader, 'getSetting'>): Promise<CertificatePair | undefined> {
  const certificate = await store.getSetting(AUTHORITY_CERTIFICATE);
  const privateKey = await store.getSetting(AUTHORITY_KEY);
  if (certificate === undefined || privateKey === undefined) return undefined;
  return { certificate: certificate.toString(), privateKey: privateKey.toString() };
}
