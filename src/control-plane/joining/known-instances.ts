import { X509Certificate } from 'node:crypto';
import { INSTANCE_LIFETIME_DAYS, type IssuedCertificate, RENEWAL_GRACE_MS } from '../../distribution/index.ts';
import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { StoredRecord, StoreReader, StoreTransaction } from '../../store/index.ts';
import { noteTrustChange } from './authorities.ts';

/** How instances with certificates are called in the store. */
export const INSTANCE_KIND = 'gateway-instance';
/** Older ones are forgotten; they go on holding until their end, unless the instance is revoked. */
const MOST_CERTIFICATES = 8;
/** A certificate that nothing is known of holds no longer. */
const LIFETIME_SECONDS = INSTANCE_LIFETIME_DAYS * 86_400;
const GRACE_SECONDS = RENEWAL_GRACE_MS / 1000;

/** A gateway instance that was given certificates. Times are in Unix seconds. */
export interface KnownInstance {
  readonly id: string;
  readonly groupId: string;
  /** What it called its machine when it joined; empty when it did not join. */
  readonly hostname: string;
  /** By which token it joined; null when by none. */
  readonly tokenId: string | null;
  readonly createdAt: number;
  /** The latest last. */
  readonly certificates: readonly KnownCertificate[];
  readonly revokedAt: number | null;
  /** By whom, as the audit log names him. */
  readonly revokedBy: string | null;
}

export interface KnownCertificate {
  /** In hexadecimal. */
  readonly serial: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `authorityPin` of who signed it. */
  readonly authority: string;
}

/** What is noted when a certificate is issued. */
export interface IssuedTo {
  readonly id: string;
  readonly groupId: string;
  readonly hostname?: string;
  readonly tokenId?: string;
  readonly issued: IssuedCertificate;
  readonly authority: string;
  readonly nowSeconds: number;
}

/** Instances of different groups may have one name. */
function recordId(groupId: string, instanceId: string): string {
  return JSON.stringify([groupId, instanceId]);
}

/** The instance of an id in a group. */
export async function findInstance(
  store: Pick<StoreReader, 'getRecord'>,
  groupId: string,
  instanceId: string,
): Promise<KnownInstance | undefined> {
  const record = await store.getRecord(INSTANCE_KIND, recordId(groupId, instanceId));
  return record === undefined ? undefined : instanceOf(record);
}

/** All of a group, or of all groups, the latest changed first. */
export async function listInstances(store: Pick<StoreReader, 'listRecords'>, groupId?: string): Promise<readonly KnownInstance[]> {
  return (await store.listRecords(INSTANCE_KIND, groupId)).map(instanceOf);
}

/**
 * Notes that an instance was given a certificate. To be called in the transaction after which the certificate is handed out.
 *
 * @throws PortcullisError (`instance_revoked`)
 */
export async function noteIssued(transaction: StoreTransaction, to: IssuedTo): Promise<void> {
  const known = await findInstance(transaction, to.groupId, to.id);
  if (known !== undefined && known.revokedAt !== null) throw new PortcullisError('instance_revoked');
  const certificate: KnownCertificate = {
    serial: new X509Certificate(to.issued.certificate).serialNumber.toLowerCase(),
    issuedAt: to.nowSeconds,
    expiresAt: Math.floor(to.issued.expiresAtMs / 1000),
    authority: to.authority,
  };
  await putInstance(transaction, {
    id: to.id,
    groupId: to.groupId,
    hostname: known?.hostname ?? to.hostname ?? '',
    tokenId: known?.tokenId ?? to.tokenId ?? null,
    createdAt: known?.createdAt ?? to.nowSeconds,
    certificates: [...(known?.certificates ?? []), certificate].slice(-MOST_CERTIFICATES),
    revokedAt: null,
    revokedBy: null,
  });
}

/**
 * Revokes an instance with all certificates that it has, for ever. One that nothing is known of can be revoked too: its certificate may have been
 * issued by a store that was set back since.
 */
export async function revokeInstance(
  transaction: StoreTransaction,
  known: KnownInstance,
  by: { readonly nowSeconds: number; readonly author: string },
): Promise<void> {
  await putInstance(transaction, { ...known, revokedAt: by.nowSeconds, revokedBy: by.author });
  await noteTrustChange(transaction);
}

/** Whether a record of the kind is one of an instance that was revoked. */
export function isRevokedInstance(record: StoredRecord): boolean {
  return instanceOf(record).revokedAt !== null;
}

/**
 * It is kept as long as any of its certificates could still be renewed, and for ever once it is revoked: records go by a clock that never runs
 * backwards and certificates by one that can be set right, so that after a leap its certificate could outlive the record that refuses it.
 */
async function putInstance(transaction: StoreTransaction, instance: KnownInstance): Promise<void> {
  const ends = instance.certificates.map(({ expiresAt }) => expiresAt);
  const isOverAt = Math.max(instance.createdAt + LIFETIME_SECONDS, ...ends) + 2 * GRACE_SECONDS;
  await transaction.putRecord({
    kind: INSTANCE_KIND,
    id: recordId(instance.groupId, instance.id),
    ownerId: instance.groupId,
    name: undefined,
    document: { ...instance, certificates: instance.certificates.map((certificate) => ({ ...certificate })) } satisfies JsonObject,
    expiresAt: instance.revokedAt === null ? isOverAt : 0,
    secretPointers: [],
  });
}

/** Only `putInstance` writes records of this kind. */
function instanceOf(record: StoredRecord): KnownInstance {
  return record.document as unknown as KnownInstance;
}
