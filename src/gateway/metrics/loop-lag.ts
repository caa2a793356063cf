/** The longest delay of the last two of these is told, so that no scrape misses one. */
const WINDOW_MS = 15_000;

/** How late a thread's timers were at worst in the last 15 to 30 seconds: for that long something kept its event loop. */
export class LoopLag {
  readonly #row: Float64Array;
  readonly #cell: number;
  readonly #everyMs: number;
  #lastBeatMs: number | undefined;
  #windowEndMs = 0;
  #worstMs = 0;
  #worstBeforeMs = 0;

  /** `everyMs`: how often a beat is due. What it finds goes into `cell` of `row`. */
  constructor(row: Float64Array, cell: number, everyMs: number) {
    this.#row = row;
    this.#cell = cell;
    this.#everyMs = everyMs;
  }

  /** To be called by a timer, with the monotonic time. */
  beat(nowMs: number): void {
    const lateMs = this.#lastBeatMs === undefined ? 0 : Math.max(0, nowMs - this.#lastBeatMs - this.#everyMs);
    this.#lastBeatMs = nowMs;
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#worstBeforeMs = this.#worstMs;
      this.#worstMs = 0;
    }
    this.#worstMs = Math.max(this.#worstMs, lateMs);
    this.#row[this.#cell] = Math.max(this.#worstMs, this.#worstBeforeMs);
  }
}
