const SECOND_MS = 1000;

/**
 * Whether a peer gets on with what is waited for: something within every `windowMs`, and on average at least `bytesPerSecond`.
 *
 * The average is a bucket that holds one window's worth and starts full: while the peer is waited for it leaks at the rate, and what
 * the peer does fills it. So within any time `t` of waiting the peer does at least `bytesPerSecond * (t - windowMs)`, however fast it
 * was before; a byte now and then keeps nothing alive. Fed at each sweep with a counter that exists anyway, and made when a sweep
 * first finds somebody waiting, so most connections never have one.
 */
export class ProgressWatch {
  readonly #windowMs: number;
  readonly #bytesPerSecond: number;
  #level: number;
  #bytes = 0;
  #waiting = false;
  #lookedAtMs = 0;
  #progressAtMs = 0;

  /** `bytesPerSecond` 0: any progress will do. */
  constructor(windowMs: number, bytesPerSecond: number) {
    this.#windowMs = windowMs;
    this.#bytesPerSecond = bytesPerSecond;
    this.#level = this.#capacity;
  }

  /** `bytes`: what the peer has done in total, which never falls. `sinceMs`: when the wait began; read at the first look after a pause. */
  isTooSlow(nowMs: number, bytes: number, sinceMs: number): boolean {
    if (!this.#waiting) {
      this.#waiting = true;
      this.#lookedAtMs = sinceMs;
      this.#progressAtMs = sinceMs;
    }
    const done = bytes - this.#bytes;
    const leaked = ((nowMs - this.#lookedAtMs) * this.#bytesPerSecond) / SECOND_MS;
    this.#level = Math.min(this.#capacity, this.#level + done - leaked);
    this.#bytes = bytes;
    this.#lookedAtMs = nowMs;
    if (done > 0) this.#progressAtMs = nowMs;
    return nowMs - this.#progressAtMs >= this.#windowMs || this.#level < 0;
  }

  /** The peer is not waited for any more: the time until the next wait does not count. */
  pause(): void {
    this.#waiting = false;
  }

  get #capacity(): number {
    return (this.#windowMs * this.#bytesPerSecond) / SECOND_MS;
  }
}
