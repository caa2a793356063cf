import { X509Certificate } from 'node:crypto';
import {
  authorityPin,
  type CertificatePair,
  createAuthority,
  crossCertify,
  issueServerCertificate,
  type SyncTls,
} from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { StoreReader, StoreTransaction } from '../../store/index.ts';
import { readIssuingAuthority, writeIssuingAuthority } from '../installation.ts';

const FORMER = 'sync-authority-former';
const TRUST_VERSION = 'sync-trust-version';

/** The authorities of an installation: what gateways and control planes know each other by. */
export interface Authorities {
  /** Certifies everybody from now on. */
  readonly issuing: CertificatePair;
  /** The one before it, as long as it is trusted too. Its private key is gone. */
  readonly former: FormerAuthority | undefined;
}

/** An authority that issues nothing any more. */
export interface FormerAuthority {
  /** PEM. */
  readonly certificate: string;
  /** The issuing authority, certified by this one (PEM), for who knows only this one. */
  readonly cross: string;
}

/** Reads them; undefined as long as no first start has been completed. */
export async function readAuthorities(store: Pick<StoreReader, 'getSetting'>): Promise<Authorities | undefined> {
  const issuing = await readIssuingAuthority(store);
  if (issuing === undefined) return undefined;
  const former = (await store.getSetting(FORMER))?.toString() ?? '';
  const [certificate, cross] = former.split('\n\n');
  return { issuing, former: certificate === undefined || cross === undefined ? undefined : { certificate, cross } };
}

/** By what join tokens and certificates name the one that issues now. */
export function issuingPin({ issuing }: Authorities): string {
  return pinOf(issuing.certificate);
}

/** The pin of a certificate in PEM. */
export function pinOf(certificate: string): string {
  return authorityPin(new X509Certificate(certificate));
}

/** All that are trusted, PEM, the issuing one first. */
export function trustedAuthorities({ issuing, former }: Authorities): string {
  return `${issuing.certificate}${former?.certificate ?? ''}`;
}

/** A fresh key and certificate for a sync server, with what leads from there to every authority that a gateway may know. */
export async function makeSyncTls(authorities: Authorities, names: readonly string[], clock: Clock): Promise<SyncTls> {
  const { issuing, former } = authorities;
  const own = await issueServerCertificate(issuing, { names }, clock);
  const above = former === undefined ? issuing.certificate : `${former.cross}${former.certificate}`;
  return { key: own.privateKey, cert: `${own.certificate}${above}`, ca: trustedAuthorities(authorities) };
}

/**
 * Puts a new authority in place of the issuing one, which is trusted on, and whose private key is deleted.
 *
 * @throws StartError while there is a former one already
 */
export async function rotateAuthority(transaction: StoreTransaction, clock: Clock): Promise<Authorities> {
  const { issuing: present, former } = await requireAuthorities(transaction);
  if (former !== undefined) {
    throw new StartError('The authority before this one is still trusted: run portcullis ca retire first.');
  }
  const issuing = await createAuthority(clock);
  const cross = await crossCertify(present, issuing);
  await writeIssuingAuthority(transaction, issuing);
  await transaction.putSetting(FORMER, Buffer.from(`${present.certificate}\n\n${cross}`), { secret: false });
  await noteTrustChange(transaction);
  return { issuing, former: { certificate: present.certificate, cross } };
}

/** Ends the trust in the former authority. @throws StartError where there is none */
export async function retireAuthority(transaction: StoreTransaction): Promise<FormerAuthority> {
  const { former } = await requireAuthorities(transaction);
  if (former === undefined) throw new StartError('There is no former authority to retire.');
  await transaction.putSetting(FORMER, Buffer.alloc(0), { secret: false });
  await noteTrustChange(transaction);
  return former;
}

/** Lets every control plane see that instances were revoked or authorities have changed. */
export async function noteTrustChange(transaction: StoreTransaction): Promise<void> {
  const version = Number(await trustVersion(transaction)) + 1;
  await transaction.putSetting(TRUST_VERSION, Buffer.from(String(version)), { secret: false });
}

/** Another one each time that instances were revoked or authorities have changed. */
export async function trustVersion(store: Pick<StoreReader, 'getSetting'>): Promise<string> {
  return (await store.getSetting(TRUST_VERSION))?.toString() ?? '0';
}

/** Reads them. @throws StartError as long as no first start has been completed */
export async function requireAuthorities(store: Pick<StoreReader, 'getSetting'>): Promise<Authorities> {
  const authorities = await readAuthorities(store);
  if (authorities === undefined) throw new StartError('The first start of this control plane was never completed: start it once.');
  return authorities;
}
