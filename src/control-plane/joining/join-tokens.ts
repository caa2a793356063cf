import { createHash, timingSafeEqual } from 'node:crypto';
import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { RecordWrite, StoredRecord, StoreReader, StoreTransaction } from '../../store/index.ts';

/** How join tokens are called in the store. */
export const JOIN_TOKEN_KIND = 'join-token';
/** What has expired can still be seen for this long. */
const SEEN_AFTER_END_SECONDS = 30 * 86_400;

/** Lets gateways join one group. Times are in Unix seconds. */
export interface StoredJoinToken {
  readonly id: string;
  readonly groupId: string;
  readonly name: string;
  /** SHA-256 of the secret, in hexadecimal. */
  readonly digest: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** How many gateways may join by it. */
  readonly maxUses: number;
  readonly uses: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  readonly author: string;
}

/** What a token is good for now. */
export type JoinTokenStatus = 'usable' | 'used_up' | 'expired' | 'revoked';

/** SHA-256 of a secret, in hexadecimal. */
export function digestSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** What it is good for at a time of the clock by which things expire. */
export function statusOfJoinToken(token: StoredJoinToken, nowSeconds: number): JoinTokenStatus {
  if (token.revokedAt !== null) return 'revoked';
  if (token.expiresAt <= nowSeconds) return 'expired';
  return token.uses >= token.maxUses ? 'used_up' : 'usable';
}

/** Whether a record of the kind lets gateways join at a time of the clock by which things expire. */
export function isUsableJoinToken(record: StoredRecord, nowSeconds: number): boolean {
  return statusOfJoinToken(tokenOf(record), nowSeconds) === 'usable';
}

/** The token of an id. */
export async function findJoinToken(store: Pick<StoreReader, 'getRecord'>, id: string): Promise<StoredJoinToken | undefined> {
  const record = await store.getRecord(JOIN_TOKEN_KIND, id);
  return record === undefined ? undefined : tokenOf(record);
}

/** All tokens of a group, the latest changed first. */
export async function listJoinTokens(store: Pick<StoreReader, 'listRecords'>, groupId: string): Promise<readonly StoredJoinToken[]> {
  return (await store.listRecords(JOIN_TOKEN_KIND, groupId)).map(tokenOf);
}

export async function putJoinToken(transaction: StoreTransaction, token: StoredJoinToken): Promise<void> {
  const write: RecordWrite = {
    kind: JOIN_TOKEN_KIND,
    id: token.id,
    ownerId: token.groupId,
    name: undefined,
    document: { ...token } satisfies JsonObject,
    expiresAt: token.expiresAt + SEEN_AFTER_END_SECONDS,
    secretPointers: [],
  };
  await transaction.putRecord(write);
}

/**
 * The token that somebody shows. Digests are compared in constant time, and what is wrong with a token is told only to who knows its secret.
 *
 * @throws PortcullisError for one that is not known, expired or revoked. Whether it is used up is not looked at.
 */
export function requireJoinToken(token: StoredJoinToken | undefined, secret: string, nowSeconds: number): StoredJoinToken {
  const shown = Buffer.from(digestSecret(secret), 'hex');
  const known = Buffer.from(token?.digest ?? digestSecret(''), 'hex');
  if (!timingSafeEqual(shown, known) || token === undefined) throw new PortcullisError('join_token_unknown');
  const status = statusOfJoinToken(token, nowSeconds);
  if (status === 'expired') throw new PortcullisError('join_token_expired');
  if (status === 'revoked') throw new PortcullisError('join_token_revoked');
  return token;
}

/** Only `putJoinToken` writes records of this kind. */
function tokenOf(record: StoredRecord): StoredJoinToken {
  return record.document as unknown as StoredJoinToken;
}
