import { hash } from 'node:crypto';
import type { Random } from '../../lib/random.ts';
import type { StoredRecord, StoreReader, StoreTransaction, User } from '../../store/index.ts';
import { randomSecret } from './random-text.ts';

/** How sessions are called in the store. */
export const SESSION_KIND = 'session';

/** A session ends when nothing was asked for so long. */
const IDLE_SECONDS = 7_200;
/** API7's limit, whatever was asked. */
export const SESSION_SECONDS = 86_400;
/** A new session beyond this number ends the user's oldest. */
const MAX_SESSIONS = 10;
/** An expiry that would move by less is left where it is: reading a page writes nothing. */
const MOVE_BY_SECONDS = 60;

/** A session that is in force. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  /** When it ends unless it is used again (Unix seconds). */
  readonly expiresAt: number;
  /** When its expiry should be moved, and where to (Unix seconds). */
  readonly moveExpiryTo: number | undefined;
}

interface SessionDocument {
  readonly ends_at: number;
}

/** Makes a session and returns the value of its cookie, which the store keeps as a hash only. It is always a new one: nobody can bring his own. */
export async function createSession(
  transaction: StoreTransaction,
  random: Random,
  options: { readonly user: User; readonly method: string; readonly address: string; readonly now: number },
): Promise<string> {
  const { user, method, address, now } = options;
  const sessions = await transaction.listRecords(SESSION_KIND, user.id);
  const oldest = [...sessions].sort((one, other) => other.createdAt - one.createdAt).slice(MAX_SESSIONS - 1);
  for (const { id } of oldest) await transaction.deleteRecord(SESSION_KIND, id);
  const value = randomSecret(random);
  await transaction.putRecord({
    kind: SESSION_KIND,
    id: idOf(value),
    ownerId: user.id,
    name: undefined,
    document: { method, address, signed_in_at: now, ends_at: now + SESSION_SECONDS },
    expiresAt: now + IDLE_SECONDS,
    secretPointers: [],
  });
  return value;
}

/** The session of a cookie's value; undefined where it is unknown or over. `now` is in Unix seconds. */
export async function findSession(store: Pick<StoreReader, 'getRecord'>, value: string, now: number): Promise<Session | undefined> {
  const record = await store.getRecord(SESSION_KIND, idOf(value));
  if (record?.ownerId === undefined || !isSessionAlive(record, now)) return undefined;
  const expiresAt = Math.min(now + IDLE_SECONDS, endOf(record));
  const moveExpiryTo = expiresAt - record.expiresAt >= MOVE_BY_SECONDS ? expiresAt : undefined;
  return { id: record.id, userId: record.ownerId, expiresAt, moveExpiryTo };
}

/** Whether a session's record is there and not over. `now` is in Unix seconds. */
export function isSessionAlive(record: StoredRecord | undefined, now: number): boolean {
  return record !== undefined && now < record.expiresAt && now < endOf(record);
}

/** Ends all sessions of a user, but for one. */
export async function endSessions(transaction: StoreTransaction, userId: string, except?: string): Promise<void> {
  for (const { id } of await transaction.listRecords(SESSION_KIND, userId)) {
    if (id !== except) await transaction.deleteRecord(SESSION_KIND, id);
  }
}

function endOf({ document }: StoredRecord): number {
  // Written above.
  return (document as unknown as SessionDocument).ends_at;
}

/** SHA-256 of 256 random bits: looked up as it is, so that the duration tells nothing of the value. */
function idOf(value: string): string {
  return hash('sha256', value, 'hex');
}
