import type { CheckRules } from '../../schema/index.ts';
import type { HealthSlot } from './health-board.ts';
import type { HealthBook } from './health-book.ts';
import type { HealthReport } from './node-health.ts';

const STATUSES = 600;
const SAYS_NOTHING = 0;
const SUCCESS = 1;
const FAILURE = 2;

/** The health of an upstream's endpoints, by their index, as the request path asks for it and adds to it. */
export class EndpointHealth {
  readonly #book: HealthBook;
  readonly #keys: readonly string[];
  /** What each status says; undefined: requests say nothing. */
  readonly #statuses: Uint8Array | undefined;
  /** By index; those of weight 0 stand in for none (see `Balancer`). */
  readonly #weights: readonly number[];
  readonly #ofWeight: number;
  readonly #slots: (HealthSlot | undefined)[];
  /** Endpoints of which this worker has reported a failure and no success since, whatever the agent has made of it. */
  readonly #failed: Uint8Array;
  readonly #down: Uint8Array;
  #someDown = false;
  #generation = Number.NaN;

  /** `keys`: see `healthKey`, one for each endpoint; `weights` likewise. */
  constructor(book: HealthBook, keys: readonly string[], weights: readonly number[], passive: CheckRules | undefined) {
    this.#book = book;
    this.#keys = keys;
    this.#weights = weights;
    this.#ofWeight = weights.filter((weight) => weight > 0).length;
    this.#statuses = passive && statusTable(passive);
    this.#slots = keys.map(() => undefined);
    this.#failed = new Uint8Array(keys.length);
    this.#down = new Uint8Array(keys.length);
  }

  /** A 1 at the index of each endpoint that is to be passed over; undefined where none is, also where all of any weight would be: then all are used again. */
  get down(): Uint8Array | undefined {
    if (this.#book.generation !== this.#generation) this.#renew();
    return this.#someDown ? this.#down : undefined;
  }

  /** An upstream has answered with this status. */
  noteStatus(index: number, status: number): void {
    const says = this.#statuses?.[status] ?? SAYS_NOTHING;
    if (says === SAYS_NOTHING) return;
    if (says === FAILURE) this.note(index, 'http_failure');
    else this.note(index, 'success');
  }

  /** An attempt has ended like this. */
  note(index: number, report: HealthReport): void {
    if (this.#statuses === undefined) return;
    if (this.#book.generation !== this.#generation) this.#renew();
    const slot = this.#slots[index];
    if (slot === undefined) return;
    if (report === 'success') {
      // The usual case by far: nothing is wrong, and there is nothing to tell.
      if (this.#failed[index] === 0 && !this.#book.awaitsSuccess(slot)) return;
      this.#failed[index] = 0;
    } else {
      if (this.#book.ignoresFailure(slot)) return;
      this.#failed[index] = 1;
    }
    this.#book.report(slot, report);
  }

  #renew(): void {
    const book = this.#book;
    this.#generation = book.generation;
    let down = 0;
    for (const [index, key] of this.#keys.entries()) {
      const slot = book.slotOf(key);
      const isDown = slot !== undefined && book.isDown(slot);
      this.#slots[index] = slot;
      this.#down[index] = isDown ? 1 : 0;
      if (isDown && (this.#weights[index] ?? 0) > 0) down++;
    }
    this.#someDown = down > 0 && down < this.#ofWeight;
  }
}

function statusTable({ healthyStatuses, unhealthyStatuses }: CheckRules): Uint8Array {
  const table = new Uint8Array(STATUSES);
  for (const status of unhealthyStatuses) table[status] = FAILURE;
  // In this order, because a status in both lists is a success (lua-resty-healthcheck).
  for (const status of healthyStatuses) table[status] = SUCCESS;
  return table;
}
