import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { Author, ChangeOrigin, Store, User } from '../../store/index.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { SignInThrottle } from './sign-in-throttle.ts';

/** Where a password was shown: at the sign-in itself, with a single request, or to change it. */
export type PasswordMethod = 'password' | 'basic' | 'change';

type Attempt = Parameters<PasswordCheck['check']>[0];

/** Stands in the audit log for whoever did not prove to be anybody. */
const NOBODY: Author = { id: 'unknown', name: 'unknown' };

/** Checks user names and passwords, slows down whoever tries many, and records what fails. */
export class PasswordCheck {
  readonly #parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly log: Logger;
    readonly hasher: PasswordHasher;
    readonly throttle: SignInThrottle;
  };
  /** When a success by Basic was last recorded, by user and address: not once a request. */
  readonly #recorded = new Map<string, number>();

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly log: Logger;
    readonly hasher: PasswordHasher;
    readonly throttle: SignInThrottle;
  }) {
    this.#parts = parts;
  }

  /**
   * The user whose name and password these are; undefined otherwise, after the same time whether the name or the password was wrong.
   *
   * @throws PortcullisError 429 while this account is slowed down for this address, or too many wait for their turn
   */
  async check(attempt: {
    readonly username: string;
    readonly password: string;
    readonly address: string;
    /** What the audit log is told besides. */
    readonly origin?: ChangeOrigin;
    readonly method: PasswordMethod;
  }): Promise<User | undefined> {
    const { store, hasher, throttle } = this.#parts;
    const { username, password, address } = attempt;
    throttle.assertMayTry(address, username);
    const user = await store.findUserByName(username);
    // Asked again when its turn has come: many at once are no way around the pause.
    const matches = await hasher.verify(address, user?.passwordHash, password, () => throttle.assertMayTry(address, username));
    if (user === undefined || !matches) {
      throttle.failed(address, username);
      await this.#recordFailure(user, attempt);
      return undefined;
    }
    throttle.succeeded(address, username);
    if (attempt.method === 'basic') await this.#recordBasic(user, attempt);
    return user;
  }

  /** An unknown name is not repeated: it may be a password in the wrong field. */
  async #recordFailure(user: User | undefined, attempt: Attempt): Promise<void> {
    const { log, throttle } = this.#parts;
    const { address, method } = attempt;
    log.warn('a sign-in failed', { userId: user?.id, address, method });
    if (!throttle.takesIntoAudit(address)) return;
    const author = user === undefined ? NOBODY : { id: user.id, name: user.username };
    await this.#audit('user.sign-in-failed', author, attempt);
  }

  async #recordBasic(user: User, attempt: Attempt): Promise<void> {
    const key = `${user.id} ${attempt.address}`;
    const nowMs = this.#parts.clock.monotonicMs();
    const lastMs = this.#recorded.get(key);
    if (lastMs !== undefined && nowMs - lastMs < BASIC_INTERVAL_MS) return;
    if (this.#recorded.size >= MAX_RECORDED) this.#recorded.clear();
    this.#recorded.set(key, nowMs);
    await this.#audit('user.sign-in', { id: user.id, name: user.username }, attempt);
  }

  async #audit(action: string, author: Author, { address, origin, method }: Attempt): Promise<void> {
    const { store, clock } = this.#parts;
    await store.transaction(origin === undefined ? author : { ...author, origin }, (transaction) =>
      transaction.appendAudit({
        at: Math.floor(clock.nowMs() / 1000),
        author,
        action,
        groupId: undefined,
        resource: `user/${author.id}`,
        address,
        detail: { method },
      }),
    );
  }
}

const BASIC_INTERVAL_MS = 3_600_000;
const MAX_RECORDED = 1_000;
