import { hash } from 'node:crypto';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { ApiToken, Author, Store, StoreReader, User } from '../../store/index.ts';
import { SUPER_ADMIN_ROLE } from '../access/index.ts';
import { latestTimeMs } from '../expiry-clock.ts';
import { ADMIN_KEY_PREFIX, randomId, randomToken } from './random-text.ts';

const SECONDS_PER_DAY = 86_400;
/** API7's limit for a token's name. */
const MAX_NAME_CHARACTERS = 40;
const MAX_DAYS = 36_500;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;

/** The form in which the store knows a token: SHA-256. A slow hash would protect nothing, a token is no word that can be guessed. */
export function hashToken(token: Uint8Array): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Days from `nowMs` (since 1970) as Unix seconds; 0, never, for 0 days. */
export function expiryAfterDays(nowMs: number, days: number): number {
  return days === 0 ? 0 : Math.floor(nowMs / 1000) + days * SECONDS_PER_DAY;
}

/** The row of a new token. */
export function describeToken(
  token: string,
  fields: { readonly id: string; readonly name: string; readonly userId: string; readonly expiresAt: number; readonly clock: Clock },
): ApiToken {
  return {
    id: fields.id,
    name: fields.name,
    userId: fields.userId,
    tokenHash: hashToken(Buffer.from(token)),
    expiresAt: fields.expiresAt,
    revokedAt: undefined,
    lastUsedAt: undefined,
    createdAt: Math.floor(fields.clock.nowMs() / 1000),
  };
}

/**
 * A token that the operator chose: 16 to 256 printable characters that a header carries unchanged, so no space at either end, and not what
 * is taken for the admin key of a gateway group.
 *
 * @throws StartError, without repeating the token
 */
export function checkGivenToken(token: string): void {
  const length = [...token].length;
  if (length < 16 || length > 256 || !PRINTABLE.test(token) || token.trim() !== token) {
    throw new StartError('The bootstrap token must have 16 to 256 printable characters and no space at its start or end.');
  }
  if (token.startsWith(ADMIN_KEY_PREFIX)) {
    throw new StartError(`The bootstrap token must not begin with ${ADMIN_KEY_PREFIX}: so do the admin keys of gateway groups.`);
  }
}

/** What `createApiToken` needs. */
export interface CreateApiTokenOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly name: string;
  /** Whose token it is. Undefined: `admin`, or whoever has been a super admin for longest where that user is gone. */
  readonly username: string | undefined;
  /** 0: never expires. */
  readonly expiresInDays: number;
  readonly author: Author;
}

/**
 * Makes a token of a user and records that in the audit log. The token itself is given back here and nowhere again;
 * `expiresAt` is in Unix seconds, 0 for never.
 *
 * @throws StartError when a value is out of range, or there is no such user
 */
export async function createApiToken(
  options: CreateApiTokenOptions,
): Promise<{ readonly token: string; readonly id: string; readonly expiresAt: number }> {
  const { store, clock, random, name, username, expiresInDays, author } = options;
  const length = [...name].length;
  if (length < 1 || length > MAX_NAME_CHARACTERS || !PRINTABLE.test(name)) {
    throw new StartError(`A token's name must have 1 to ${MAX_NAME_CHARACTERS} printable characters.`);
  }
  if (!Number.isInteger(expiresInDays) || expiresInDays < 0 || expiresInDays > MAX_DAYS) {
    throw new StartError(`A token's life must be a whole number of days from 0 (never expires) to ${MAX_DAYS}.`);
  }
  const token = randomToken(random);
  const id = randomId(random);
  const expiresAt = expiryAfterDays(await latestTimeMs(store, clock), expiresInDays);
  await store.transaction(author, async (transaction) => {
    const user = await ownerOf(transaction, username);
    const row = describeToken(token, { id, name, userId: user.id, expiresAt, clock });
    await transaction.putToken(row);
    await transaction.appendAudit({
      at: row.createdAt,
      author,
      action: 'token.create',
      groupId: undefined,
      resource: `token/${id}`,
      address: undefined,
      detail: { name, expires_at: expiresAt },
    });
  });
  return { token, id, expiresAt };
}

async function ownerOf(transaction: StoreReader, username: string | undefined): Promise<User> {
  if (username !== undefined) {
    const user = await transaction.findUserByName(username);
    if (user === undefined) throw new StartError('There is no user of that name.');
    return user;
  }
  const users = await transaction.listUsers();
  const isSuperAdmin = ({ roles, boundary }: User): boolean => roles.includes(SUPER_ADMIN_ROLE) && boundary.length === 0;
  const user = (await transaction.findUserByName('admin')) ?? users.find(isSuperAdmin);
  if (user === undefined) throw new StartError('The data folder has no user yet: start the control plane once.');
  return user;
}
