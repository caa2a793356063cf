import type { Clock } from '../../lib/clock.ts';
import { ForwardClock } from '../../lib/forward-clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/index.ts';
import { ClockSkew } from './clock-skew.ts';
import { readContactTimes, writeContactTimes } from './contact-file.ts';
import { SignedTime } from './signed-time.ts';

/** How old a configuration may become, and what then. */
export interface AgeLimit {
  /** 0: as old as it likes. */
  readonly maxAgeMs: number;
  readonly whenTooOld: 'serve' | 'refuse';
}

/** What is known of control planes now. */
export interface ContactSource {
  isConnected(): boolean;
  /** The newest revision that a control plane, on the present connection, has named; undefined without one, and while it cannot know. */
  newestRevision(): number | undefined;
}

/** How fresh what is in force is. */
export interface FreshnessState {
  readonly isConnected: boolean;
  /** Since a control plane was last connected; undefined when none ever was. */
  readonly sinceContactMs: number | undefined;
  /** Since what is in force was last known to be the newest; undefined when nothing is in force. */
  readonly ageMs: number | undefined;
  /** Revisions that the control plane has and this instance has not; undefined without a connection to one that knows. */
  readonly lag: number | undefined;
  readonly isTooOld: boolean;
  /** Because it is too old. */
  readonly refusesRequests: boolean;
  /** By how much the machine's clock is ahead of the control plane's time, negative where it is behind; undefined without a connection. */
  readonly clockAheadMs: number | undefined;
  /** By how much the time by which things expire is ahead of the machine's clock. */
  readonly expiryAheadMs: number;
}

const KEEP_INTERVAL_MS = 60_000;
/** Clocks that are set right by so little are no news. */
const CLOCK_TOLERANCE_MS = 60_000;
const NO_LIMIT: AgeLimit = { maxAgeMs: 0, whenTooOld: 'serve' };
const NOTHING_KNOWN: FreshnessState = {
  isConnected: false,
  sinceContactMs: undefined,
  ageMs: undefined,
  lag: undefined,
  isTooOld: false,
  refusesRequests: false,
  clockAheadMs: undefined,
  expiryAheadMs: 0,
};

/** Knows how long ago what is in force was last known to be the newest, over restarts and whatever the machine's clock does. */
export class Freshness {
  readonly #folder: string;
  readonly #limit: AgeLimit;
  readonly #wall: Clock;
  readonly #clock: ForwardClock;
  readonly #signed: SignedTime;
  readonly #log: Logger;
  readonly #skew: ClockSkew;
  #contactMs: number;
  #confirmedMs: number;
  /** Nobody has told how old what is in force is: it counts from when it was first seen, until a snapshot says when it was made. */
  #isGuessed = false;
  #state = NOTHING_KNOWN;
  #keptAtMs = 0;
  /** What is on disk would make it younger after a crash. */
  #mustKeep = false;
  #keeping: Promise<void> = Promise.resolve();

  private constructor(
    options: { readonly folder: string; readonly limit: AgeLimit | undefined; readonly log: Logger; readonly clock: Clock },
    clock: ForwardClock,
    signed: SignedTime,
  ) {
    this.#folder = options.folder;
    this.#limit = options.limit ?? NO_LIMIT;
    this.#log = options.log;
    this.#wall = options.clock;
    this.#skew = new ClockSkew(options.log);
    this.#clock = clock;
    this.#signed = signed;
    this.#contactMs = 0;
    this.#confirmedMs = 0;
  }

  static async open(options: {
    readonly folder: string;
    readonly limit: AgeLimit | undefined;
    readonly clock: Clock;
    readonly log: Logger;
  }): Promise<Freshness> {
    const kept = await readContactTimes(options.folder);
    const freshness = new Freshness(options, new ForwardClock(options.clock, kept.latestMs), new SignedTime(options.clock, kept));
    freshness.#contactMs = kept.contactMs;
    freshness.#confirmedMs = kept.confirmedMs;
    return freshness;
  }

  get state(): FreshnessState {
    return this.#state;
  }

  /** The time by which things expire: it never runs backwards, but where it turns out to have been ahead. In milliseconds since 1970. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /**
   * A control plane that is connected now lets things expire by this time, which never runs backwards there. So it is that late here too; and what this
   * machine's clock alone has shown beyond it was wrong.
   */
  noteControlPlaneTime(nowMs: number): void {
    this.#skew.note(this.#wall.nowMs(), nowMs);
    this.#clock.moveTo(nowMs);
    this.#healClock(Math.max(nowMs, this.#signed.floorMs()), nowMs);
  }

  /** A verified snapshot that was made at this time is in force: it was the newest then. */
  noteSnapshot(createdAtMs: number): void {
    const madeMs = Math.min(createdAtMs, this.#clock.nowMs());
    if (this.#signed.note(madeMs)) this.#healClock(this.#signed.floorMs(), madeMs);
    this.#confirmedMs = this.#isGuessed ? madeMs : Math.max(this.#confirmedMs, madeMs);
    this.#isGuessed = false;
    this.#mustKeep = true;
  }

  /**
   * The machine's clock was far ahead once, and what was seen then would make everything too old for ever. A snapshot that was made after another one
   * shows that it is earlier; how much, the signed times and the time that has passed since them bound: it is not younger than they allow, whatever the
   * machine's clock says now. So does the time that a control plane tells.
   */
  #healClock(leastMs: number, confirmedMs: number): void {
    const aheadMs = this.#clock.setBack(leastMs, CLOCK_TOLERANCE_MS);
    if (aheadMs === 0) return;
    this.#log.warn('the clock of this machine was ahead; what expires, and the age of the configuration, go by the right time again', {
      ahead_seconds: Math.round(aheadMs / 1000),
    });
    this.#contactMs = Math.min(this.#contactMs, this.#clock.nowMs());
    this.#confirmedMs = Math.min(this.#confirmedMs, confirmedMs);
    this.#mustKeep = true;
  }

  /** To be called several times a second, with the revision in force. Returns the state. */
  update(source: ContactSource | undefined, revision: number | undefined): FreshnessState {
    const nowMs = this.#clock.nowMs();
    const isConnected = source?.isConnected() ?? false;
    const newestRevision = source?.newestRevision();
    if (isConnected) this.#contactMs = nowMs;
    else this.#skew.forget();
    const isNewest = newestRevision !== undefined && revision === newestRevision;
    // Of a copy that is older than this file nothing is known: its age counts from when it was first seen.
    const isFirst = revision !== undefined && this.#confirmedMs === 0;
    if (isNewest || isFirst) {
      this.#confirmedMs = nowMs;
      this.#isGuessed = !isNewest;
    }
    const ageMs = revision === undefined ? undefined : Math.max(0, nowMs - this.#confirmedMs);
    const isTooOld = this.#limit.maxAgeMs > 0 && ageMs !== undefined && ageMs > this.#limit.maxAgeMs;
    if (isTooOld !== this.#state.isTooOld) this.#tell(isTooOld, ageMs);
    this.#state = {
      isConnected,
      sinceContactMs: this.#contactMs === 0 ? undefined : nowMs - this.#contactMs,
      ageMs,
      lag: newestRevision !== undefined ? Math.max(0, newestRevision - (revision ?? 0)) : undefined,
      isTooOld,
      refusesRequests: isTooOld && this.#limit.whenTooOld === 'refuse',
      clockAheadMs: this.#skew.aheadMs,
      expiryAheadMs: nowMs - this.#wall.nowMs(),
    };
    if (isFirst) this.#mustKeep = true;
    if (this.#mustKeep || nowMs - this.#keptAtMs >= KEEP_INTERVAL_MS) void this.#keep(nowMs);
    return this.#state;
  }

  /** Keeps the times once more. */
  async close(): Promise<void> {
    await this.#keep(this.#clock.nowMs());
  }

  #keep(nowMs: number): Promise<void> {
    this.#keptAtMs = nowMs;
    this.#mustKeep = false;
    const times = {
      latestMs: Math.floor(nowMs),
      contactMs: Math.floor(this.#contactMs),
      confirmedMs: Math.floor(this.#confirmedMs),
      ...this.#signed.kept,
    };
    this.#keeping = this.#keeping.then(() =>
      writeContactTimes(this.#folder, times).catch((error: unknown) =>
        this.#log.warn('the time of the last contact could not be kept', { cause: messageOf(error) }),
      ),
    );
    return this.#keeping;
  }

  #tell(isTooOld: boolean, ageMs: number | undefined): void {
    const fields = { age_seconds: Math.round((ageMs ?? 0) / 1000), limit_seconds: this.#limit.maxAgeMs / 1000 };
    if (!isTooOld) this.#log.info('the configuration is fresh again', fields);
    else if (this.#limit.whenTooOld === 'refuse') {
      this.#log.error('the configuration is older than --max-configuration-age: requests are refused', fields);
    } else this.#log.warn('the configuration is older than --max-configuration-age: it is served on', fields);
  }
}
