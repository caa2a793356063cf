import { PortcullisError } from '../../errors/index.ts';
import { addressGroup } from '../../lib/address-group.ts';
import type { Clock } from '../../lib/clock.ts';
import { RateLimit } from '../../lib/rate-limit.ts';
import type { Logger } from '../../observability/index.ts';
import type { Caller } from '../auth/index.ts';

/** How many requests a second are served; 0 for no limit. Of each a minute's worth may come at once. */
export interface RequestRateSettings {
  /** Of one client address (IPv6: of its /64), before anything else is looked at. */
  readonly perAddress: number;
  /** Of one user with all his tokens and sessions, or of the admin key of one gateway group. */
  readonly perUser: number;
}

const BURST_SECONDS = 60;
/** Refusals are not written down one by one. */
const WARN_EVERY_MS = 10_000;

/** Keeps any one client of the Admin API from taking all of it: who asks more often than that is refused until it is his turn again. */
export class RequestRates {
  readonly #addresses: RateLimit | undefined;
  readonly #users: RateLimit | undefined;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Logger;
  #warnedAtMs = Number.NEGATIVE_INFINITY;
  #refused = 0;

  constructor(settings: RequestRateSettings, clock: Pick<Clock, 'monotonicMs'>, log: Logger) {
    this.#addresses = limitOf(settings.perAddress);
    this.#users = limitOf(settings.perUser);
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts a request of a canonical address. @throws PortcullisError 429 with the time to wait */
  admitAddress(address: string): void {
    this.#admit(this.#addresses, addressGroup(address), () => ({ address }));
  }

  /** Counts a request of a caller. @throws PortcullisError 429 with the time to wait */
  admitCaller(caller: Caller): void {
    const name = caller.by === 'admin_key' ? `group ${caller.groupId}` : `user ${caller.user.id}`;
    this.#admit(this.#users, name, () => (caller.by === 'admin_key' ? { groupId: caller.groupId } : { userId: caller.user.id }));
  }

  #admit(limit: RateLimit | undefined, key: string, who: () => Readonly<Record<string, string>>): void {
    if (limit === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const waitMs = limit.take(key, nowMs);
    if (waitMs === 0) return;
    this.#warn(nowMs, who);
    throw new PortcullisError('admin_too_many_requests', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  }

  #warn(nowMs: number, who: () => Readonly<Record<string, string>>): void {
    this.#refused += 1;
    if (nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#log.warn('a client of the Admin API asks too often and is refused for a while', { ...who(), refused: this.#refused });
    this.#warnedAtMs = nowMs;
    this.#refused = 0;
  }
}

function limitOf(perSecond: number): RateLimit | undefined {
  return perSecond === 0 ? undefined : new RateLimit(perSecond, BURST_SECONDS);
}
