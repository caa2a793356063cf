import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Logger } from '../../observability/logger.ts';
import type { HeldConfiguration } from '../held-configuration.ts';
import type { JournalEntry } from '../journal-index.ts';
import { isKnownKind } from '../parse-payload.ts';
import type { StateCheckedMessage, StateHashMessage } from '../protocol.ts';
import { SlowPace } from './slow-pace.ts';
import { type StateHash, stateDifference } from './state-hash.ts';

/** What comparisons of what this instance holds with its control plane's have found so far. */
export interface StateCheckResult {
  /** Of the last comparison. */
  readonly isSame: boolean;
  /** Monotonic, of the last comparison. */
  readonly comparedAtMs: number;
  /** Comparisons that found a difference. */
  readonly differences: number;
}

interface KnownHash {
  readonly snapshot: JournalEntry;
  readonly revision: number;
  readonly kinds: StateHash;
  readonly readAtMs: number;
}

/** While the disk is read a fifth of a processor is taken, … */
const REST_FACTOR = 4;
/** … and over time a hundredth: the next reading is this many times as far away as one took. */
const READINGS_APART = 99;
/** What has not changed is not read again before. */
const KNOWN_FOR_MS = 3_600_000;

/**
 * Compares what this instance holds with what its control plane says that it should hold. What it holds is read from its disk copy: that is
 * written before anything is put in force, and what a restart would load. Requests and changes wait for nothing of it.
 */
export class StateCheck {
  readonly #held: HeldConfiguration;
  readonly #clock: Clock;
  readonly #log: Logger;
  #known: KnownHash | undefined;
  #isReading = false;
  #nextReadingMs = 0;
  #result: StateCheckResult | undefined;

  constructor(options: { readonly held: HeldConfiguration; readonly clock: Clock; readonly log: Logger }) {
    this.#held = options.held;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Undefined before the first comparison. */
  get result(): StateCheckResult | undefined {
    return this.#result;
  }

  /** What to answer; undefined where nothing was compared: another revision is in force, or it is too early to read the disk again. Never rejects. */
  async compare({ revision, kinds }: StateHashMessage): Promise<StateCheckedMessage | undefined> {
    const held = await this.#hashAt(revision);
    if (held === undefined) return undefined;
    const reason = stateDifference(held, kinds, isKnownKind);
    this.#result = {
      isSame: reason === undefined,
      comparedAtMs: this.#clock.monotonicMs(),
      differences: (this.#result?.differences ?? 0) + (reason === undefined ? 0 : 1),
    };
    if (reason === undefined) return { kind: 'state-checked', revision, outcome: 'same' };
    this.#log.error('what this gateway holds is not what its control plane has; it serves on and waits for a snapshot', {
      revision,
      cause: reason,
    });
    return { kind: 'state-checked', revision, outcome: 'different', reason };
  }

  async #hashAt(revision: number): Promise<StateHash | undefined> {
    const { journal } = this.#held;
    const standsOn = journal?.standsOn;
    if (journal === undefined || standsOn?.revision !== revision || this.#held.revision !== revision) return undefined;
    const known = this.#known;
    const nowMs = this.#clock.monotonicMs();
    const isKnown = known?.snapshot === standsOn.snapshot && known.revision === revision && nowMs - known.readAtMs < KNOWN_FOR_MS;
    if (isKnown) return known.kinds;
    if (this.#isReading || nowMs < this.#nextReadingMs) return undefined;
    this.#isReading = true;
    const pace = new SlowPace(this.#clock, REST_FACTOR);
    try {
      const kinds = await journal.stateHash(pace);
      // Meanwhile another snapshot may have come, or the revision may have been refused.
      const isOver = journal.standsOn?.snapshot !== standsOn.snapshot || (this.#held.revision ?? 0) < revision;
      if (isOver) return undefined;
      this.#known = { ...standsOn, kinds, readAtMs: this.#clock.monotonicMs() };
      return kinds;
    } catch (error) {
      this.#log.warn('what this gateway holds could not be read to be compared', { revision, cause: messageOf(error) });
      return undefined;
    } finally {
      this.#isReading = false;
      this.#nextReadingMs = this.#clock.monotonicMs() + pace.workedMs * READINGS_APART;
    }
  }
}
