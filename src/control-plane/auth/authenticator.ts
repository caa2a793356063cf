import { timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../lib/clock.ts';
import type { ApiToken, ChangeOrigin, StoreReader, User } from '../../store/index.ts';
import type { AccessCache } from '../access/index.ts';
import { authenticateAdminKey, isAdminKey, isAdminKeyOf } from './admin-key.ts';
import { readBasicCredentials } from './basic-credentials.ts';
import type { Caller, UserCaller } from './caller.ts';
import type { PasswordCheck } from './password-check.ts';
import { readCookie, SESSION_COOKIE } from './session-cookie.ts';
import { findSession, isSessionAlive, SESSION_KIND } from './sessions.ts';
import { hashToken } from './tokens.ts';
import type { UseRecorder } from './use-recorder.ts';

/** What a request shows of its caller. Header values hold one character a byte, as Node gives them. */
export interface ShownCredentials {
  readonly token: string | undefined;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** Canonical. */
  readonly address: string;
  /** What the audit log is told of a sign-in besides. */
  readonly origin?: ChangeOrigin;
}

/** What `Authenticator` needs. */
export interface AuthenticatorParts {
  readonly store: Pick<StoreReader, 'findTokenByHash' | 'findUnique' | 'getToken' | 'getUser' | 'getRecord'>;
  readonly access: AccessCache;
  readonly passwords: PasswordCheck;
  readonly uses: UseRecorder;
  /** Says what is still alive: setting a clock back revives nothing. */
  readonly expiryClock: Pick<Clock, 'nowMs'>;
}

type CallerReader = Pick<StoreReader, 'getToken' | 'getUser' | 'getRecord'>;

/** Finds out who calls the Admin API. */
export class Authenticator {
  readonly #parts: AuthenticatorParts;

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
  }

  /**
   * The caller; undefined where nothing was shown, or what was shown is unknown, expired or revoked. Only the first of token, Basic
   * credentials and cookie counts: a wrong one is not made good by another.
   *
   * @throws PortcullisError 429 while wrong passwords are being slowed down
   */
  async authenticate(shown: ShownCredentials): Promise<Caller | undefined> {
    if (shown.token !== undefined) {
      return isAdminKey(shown.token) ? authenticateAdminKey(this.#parts.store, shown.token) : this.#byToken(shown.token);
    }
    const basic = readBasicCredentials(shown.authorization);
    if (basic !== undefined) {
      const { address, origin } = shown;
      const attempt = { ...basic, address, method: 'basic', ...(origin === undefined ? {} : { origin }) } as const;
      const user = await this.#parts.passwords.check(attempt);
      return user && this.#callerOf('password', user, { id: user.id, name: user.username });
    }
    const cookie = readCookie(shown.cookie, SESSION_COOKIE);
    return cookie === undefined ? undefined : this.#bySession(cookie);
  }

  /**
   * The same caller as of now: undefined when the token was revoked, the admin key replaced, the session ended, the user removed or the
   * password changed since.
   * For what was begun long ago, such as a body that took its time.
   */
  async renew(caller: Caller): Promise<Caller | undefined> {
    const { store, access } = this.#parts;
    if (caller.by === 'admin_key') return (await isAdminKeyOf(store, caller.groupId, caller.keyDigest)) ? caller : undefined;
    const user = await store.getUser(caller.user.id);
    if (user === undefined || !(await this.#isStillShown(caller, user, store))) return undefined;
    return { ...caller, user, access: await access.accessOf(user) };
  }

  /**
   * What has become of a caller, as a transaction sees it that may have waited for its turn: what was answered before it began holds for it
   * too, be it a new password, a revoked token or another role.
   */
  async stateOf(caller: UserCaller, reader: CallerReader): Promise<'same' | 'changed' | 'gone'> {
    const user = await reader.getUser(caller.user.id);
    if (user === undefined || !(await this.#isStillShown(caller, user, reader))) return 'gone';
    const { roles, boundary, mustChangePassword } = caller.user;
    const isSame = isDeepStrictEqual([roles, boundary, mustChangePassword], [user.roles, user.boundary, user.mustChangePassword]);
    return isSame ? 'same' : 'changed';
  }

  async #isStillShown({ by, user: before, tokenId = '', sessionId = '' }: UserCaller, user: User, store: CallerReader): Promise<boolean> {
    switch (by) {
      case 'token': {
        const token = await store.getToken(tokenId);
        return token !== undefined && this.#isAlive(token);
      }
      case 'session':
        return isSessionAlive(await store.getRecord(SESSION_KIND, sessionId), this.#now());
      case 'password':
        return user.passwordHash === before.passwordHash;
    }
  }

  /** The look-up is by hash, so its duration tells nothing of the token. */
  async #byToken(value: string): Promise<UserCaller | undefined> {
    if (value === '') return undefined;
    const { store, uses } = this.#parts;
    const tokenHash = hashToken(Buffer.from(value, 'latin1'));
    const token = await store.findTokenByHash(tokenHash);
    if (token === undefined || !timingSafeEqual(token.tokenHash, tokenHash) || !this.#isAlive(token)) return undefined;
    const user = await store.getUser(token.userId);
    if (user === undefined) return undefined;
    uses.tokenUsed(token.id, token.lastUsedAt, this.#now());
    return this.#callerOf('token', user, { id: token.id, name: token.name }, { tokenId: token.id, expiresAt: token.expiresAt });
  }

  async #bySession(value: string): Promise<UserCaller | undefined> {
    const { store, uses } = this.#parts;
    const session = await findSession(store, value, this.#now());
    const user = session && (await store.getUser(session.userId));
    if (session === undefined || user === undefined) return undefined;
    if (session.moveExpiryTo !== undefined) uses.sessionUsed(session.id, session.moveExpiryTo);
    return this.#callerOf('session', user, { id: user.id, name: user.username }, { sessionId: session.id, expiresAt: session.expiresAt });
  }

  async #callerOf(
    by: UserCaller['by'],
    user: User,
    author: UserCaller['author'],
    ids: Partial<Pick<UserCaller, 'tokenId' | 'sessionId' | 'expiresAt'>> = {},
  ): Promise<UserCaller> {
    const access = await this.#parts.access.accessOf(user);
    return { by, user, author, tokenId: undefined, sessionId: undefined, ...ids, access };
  }

  #isAlive(token: ApiToken): boolean {
    if (token.revokedAt !== undefined) return false;
    return token.expiresAt === 0 || this.#parts.expiryClock.nowMs() < token.expiresAt * 1000;
  }

  #now(): number {
    return Math.floor(this.#parts.expiryClock.nowMs() / 1000);
  }
}
