import type { CancelTask, Clock } from '../lib/clock.ts';

/** A revision has proved itself when the process has run it for this long. */
const PROBATION_MS = 10_000;
/** Many revisions in a row are marked together. */
const MARK_INTERVAL_MS = 1_000;

/** Tells which candidate has run long enough to be a last good configuration. */
export class CandidateProbation {
  readonly #clock: Clock;
  readonly #onPassed: (revision: number) => void;
  #candidates: { readonly revision: number; readonly sinceMs: number }[] = [];
  #cancel: CancelTask | undefined;

  constructor(clock: Clock, onPassed: (revision: number) => void) {
    this.#clock = clock;
    this.#onPassed = onPassed;
  }

  /** A revision is in force from now on, and the ones before run on as part of it. */
  add(revision: number): void {
    this.#candidates.push({ revision, sinceMs: this.#clock.monotonicMs() });
    if (this.#cancel === undefined) this.#schedule(PROBATION_MS);
  }

  /** Nothing that was added before counts any more: a snapshot has replaced it. */
  clear(): void {
    this.#candidates = [];
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** All candidates have to run for the whole time once more, because a worker has died meanwhile. */
  restart(): void {
    const newest = this.#candidates.at(-1);
    this.clear();
    if (newest !== undefined) this.add(newest.revision);
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#clock.schedule(delayMs, () => this.#review());
  }

  #review(): void {
    this.#cancel = undefined;
    const nowMs = this.#clock.monotonicMs();
    const passed = this.#candidates.findLast((candidate) => nowMs - candidate.sinceMs >= PROBATION_MS);
    if (passed !== undefined) this.#candidates = this.#candidates.slice(this.#candidates.indexOf(passed) + 1);
    const [next] = this.#candidates;
    if (next !== undefined) this.#schedule(Math.max(MARK_INTERVAL_MS, next.sinceMs + PROBATION_MS - nowMs));
    if (passed !== undefined) this.#onPassed(passed.revision);
  }
}
