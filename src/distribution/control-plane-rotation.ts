import { type BackoffSteps, backoffDelayMs } from '../lib/backoff.ts';
import { type Random, randomFraction } from '../lib/random.ts';

/** Where a control plane takes sync connections. */
export interface ControlPlaneAddress {
  readonly host: string;
  readonly port: number;
}

/** Why a connection ended: it never stood, it was lost, or the control plane does not want this instance. */
export interface SessionEnd {
  readonly kind: 'unreachable' | 'lost' | 'rejected';
  readonly reason: string;
}

/** The first attempts follow each other quickly, because a control plane that starts with us is there in a moment. */
const BACKOFF: BackoffSteps = { firstDelayMs: 100, highestDelayMs: 15_000 };
/** A connection that has lasted this long was a good one. */
const STABLE_MS = 10_000;
/** Spreads the gateways of a control plane that died over the others. */
const MOVE_WITHIN_MS = 200;

/**
 * Which control plane is tried when. The order is drawn once, so that many gateways spread over all of them; the one that works is kept,
 * and nobody goes back when another returns. After a failure the next one is tried at once; only when all have failed once is there a
 * pause, which grows with every further round, up to 15 s and half of it again.
 */
export class ControlPlaneRotation {
  readonly #order: readonly ControlPlaneAddress[];
  readonly #random: Random;
  #next = 0;
  /** The one to go to next, whichever is in turn. */
  #wanted: ControlPlaneAddress | undefined;
  #failures = 0;
  #rejections = 0;

  constructor(controlPlanes: readonly ControlPlaneAddress[], random: Random) {
    this.#random = random;
    const drawn = controlPlanes.map((address) => ({ address, lot: random.bytes(4).readUInt32BE(0) }));
    this.#order = drawn.sort((a, b) => a.lot - b.lot).map(({ address }) => address);
  }

  /** The one to be tried, or connected to. */
  get current(): ControlPlaneAddress {
    const address = this.#order[this.#next];
    if (address === undefined) throw new Error('no control plane is named');
    return address;
  }

  /** There is another one to go to. */
  get hasOthers(): boolean {
    return this.#order.length > 1;
  }

  /** All but the present one, in the order in which they are tried. */
  get others(): readonly ControlPlaneAddress[] {
    return [...this.#order.slice(this.#next + 1), ...this.#order.slice(0, this.#next)];
  }

  /** The present one is about to be left for this one. */
  prefer(other: ControlPlaneAddress): void {
    this.#wanted = other;
  }

  /** Goes on to the next one. Returns how many milliseconds to wait before it is tried. */
  moveOn(end: SessionEnd, lastedMs: number): number {
    if (end.kind === 'lost' && lastedMs >= STABLE_MS) this.#failures = this.#rejections = 0;
    this.#failures += 1;
    this.#rejections = end.kind === 'rejected' ? this.#rejections + 1 : 0;
    const count = this.#order.length;
    const wanted = this.#wanted === undefined ? -1 : this.#order.indexOf(this.#wanted);
    this.#wanted = undefined;
    this.#next = wanted >= 0 ? wanted : (this.#next + 1) % count;
    if (wanted >= 0) return 0;
    if (this.#failures % count !== 0) return end.kind === 'lost' ? this.#lot() * MOVE_WITHIN_MS : 0;
    const delayMs = Math.max(BACKOFF.firstDelayMs, backoffDelayMs(this.#failures / count, BACKOFF));
    // Between half and one and a half, so that a thousand gateways do not come back at the same moment.
    return (this.#rejections >= count ? BACKOFF.highestDelayMs : delayMs) * (0.5 + this.#lot());
  }

  #lot(): number {
    return randomFraction(this.#random);
  }
}
