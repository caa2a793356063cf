import { PortcullisError } from '../../errors/index.ts';
import { addressGroup } from '../../lib/address-group.ts';
import type { Clock } from '../../lib/clock.ts';

/** So many wrong passwords cost nothing but themselves. */
const FREE_FAILURES = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Failures are forgotten when there was none for so long. */
const FORGET_AFTER_MS = 900_000;
const MAX_PAIRS = 10_000;

/** Failed sign-ins of an address are written into the audit log up to this number a minute; the others are only counted. */
const AUDITED_PER_MINUTE = 20;
/** Of all addresses together: whoever has a network of them could otherwise push everything else out of a log of bounded size. */
const AUDITED_PER_MINUTE_OF_ALL = 300;
const MINUTE_MS = 60_000;

interface Failures {
  count: number;
  lastMs: number;
}

interface AuditWindow {
  readonly endsMs: number;
  written: number;
}

/**
 * Slows wrong passwords down: after five for one account from one address (IPv6: one /64), each further one doubles a pause, from one
 * second to five minutes, in which that pair is refused without a look at the password. Nobody can lock an account for others.
 *
 * Memory is bounded; pairs that are being slowed down are the last to be forgotten.
 */
export class SignInThrottle {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pairs = new Map<string, Failures>();
  readonly #audits = new Map<string, AuditWindow>();
  #auditsOfAll: AuditWindow = { endsMs: Number.NEGATIVE_INFINITY, written: 0 };

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** @throws PortcullisError 429 with the time to wait, while the pair is paused */
  assertMayTry(address: string, username: string): void {
    const failures = this.#pairs.get(pairOf(address, username));
    if (failures === undefined) return;
    const remainingMs = failures.lastMs + pauseMs(failures.count) - this.#clock.monotonicMs();
    if (remainingMs > 0) throw new PortcullisError('admin_sign_in_too_often', { retryAfterSeconds: Math.ceil(remainingMs / 1000) });
  }

  /** Notes a wrong password. */
  failed(address: string, username: string): void {
    const pair = pairOf(address, username);
    const nowMs = this.#clock.monotonicMs();
    const known = this.#pairs.get(pair);
    const count = known === undefined || nowMs - known.lastMs > FORGET_AFTER_MS ? 1 : known.count + 1;
    // Taken out first, so that the map is in the order of the last failures.
    this.#pairs.delete(pair);
    if (this.#pairs.size >= MAX_PAIRS) this.#forgetOne(nowMs);
    this.#pairs.set(pair, { count, lastMs: nowMs });
  }

  /** Notes a right one. */
  succeeded(address: string, username: string): void {
    this.#pairs.delete(pairOf(address, username));
  }

  /** Whether one more failure of this address goes into the audit log: nobody can fill a disk from outside. */
  takesIntoAudit(address: string): boolean {
    return this.#isWithinOwn(addressGroup(address)) && this.#isWithinAll();
  }

  #isWithinOwn(group: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const window = this.#audits.get(group);
    if (window !== undefined && nowMs < window.endsMs) {
      window.written += 1;
      return window.written <= AUDITED_PER_MINUTE;
    }
    if (this.#audits.size >= MAX_PAIRS) this.#audits.clear();
    this.#audits.set(group, { endsMs: nowMs + MINUTE_MS, written: 1 });
    return true;
  }

  #isWithinAll(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#auditsOfAll.endsMs) this.#auditsOfAll = { endsMs: nowMs + MINUTE_MS, written: 0 };
    this.#auditsOfAll.written += 1;
    return this.#auditsOfAll.written <= AUDITED_PER_MINUTE_OF_ALL;
  }

  #forgetOne(nowMs: number): void {
    let oldest: string | undefined;
    for (const [pair, { count, lastMs }] of this.#pairs) {
      oldest ??= pair;
      if (count <= FREE_FAILURES || nowMs - lastMs > FORGET_AFTER_MS) {
        this.#pairs.delete(pair);
        return;
      }
    }
    if (oldest !== undefined) this.#pairs.delete(oldest);
  }
}

function pauseMs(failures: number): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - FREE_FAILURES), LONGEST_PAUSE_MS);
}

function pairOf(address: string, username: string): string {
  return `${addressGroup(address)} ${username}`;
}
