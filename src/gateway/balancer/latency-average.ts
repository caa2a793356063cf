/** Within this time what was measured loses all but a third of its say (APISIX: `DECAY_TIME`). */
const DECAY_MS = 10_000;

/**
 * How long a node takes to answer: an exponentially weighted moving average of milliseconds, in which a measurement has the more to say the
 * longer the last one is ago. Without any it sinks towards 0, so that a node that was slow once is tried again.
 */
export class LatencyAverage {
  #averageMs = 0;
  #touchedAtMs = Number.NEGATIVE_INFINITY;

  /** Takes one measurement; `nowMs` is monotonic. */
  note(latencyMs: number, nowMs: number): void {
    this.#averageMs = this.#decayed(latencyMs, nowMs);
    this.#touchedAtMs = nowMs;
  }

  /** What the average has come to by now. */
  at(nowMs: number): number {
    return this.#decayed(0, nowMs);
  }

  #decayed(latencyMs: number, nowMs: number): number {
    const keeps = Math.exp(-Math.max(0, nowMs - this.#touchedAtMs) / DECAY_MS);
    return this.#averageMs * keeps + latencyMs * (1 - keeps);
  }
}
