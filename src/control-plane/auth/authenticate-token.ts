import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../lib/clock.ts';
import type { ApiToken, StoreReader } from '../../store/index.ts';
import { hashToken } from './tokens.ts';

/** Who calls the Admin API. */
export interface Caller {
  readonly tokenId: string;
  readonly name: string;
  readonly userId: string;
  /** Set for the admin key of a gateway group, which may do everything in that group and nothing outside it. */
  readonly groupId?: string;
}

/**
 * Finds the caller that a value of `X-API-KEY` stands for; undefined for an absent, unknown, expired or revoked token.
 *
 * `headerValue` holds one character a byte, as Node gives header values. The look-up is by hash, so its duration tells
 * nothing of the token.
 */
export async function authenticateToken(
  store: Pick<StoreReader, 'findTokenByHash'>,
  expiryClock: Pick<Clock, 'nowMs'>,
  headerValue: string | undefined,
): Promise<Caller | undefined> {
  if (headerValue === undefined || headerValue === '') return undefined;
  const tokenHash = hashToken(Buffer.from(headerValue, 'latin1'));
  const token = await store.findTokenByHash(tokenHash);
  if (token === undefined || !timingSafeEqual(token.tokenHash, tokenHash)) return undefined;
  return isAlive(token, expiryClock) ? { tokenId: token.id, name: token.name, userId: token.userId } : undefined;
}

function isAlive(token: ApiToken, expiryClock: Pick<Clock, 'nowMs'>): boolean {
  if (token.revokedAt !== undefined) return false;
  return token.expiresAt === 0 || expiryClock.nowMs() < token.expiresAt * 1000;
}
