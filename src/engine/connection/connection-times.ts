import type { EngineTimeouts } from '../engine-options.ts';
import type { HttpExchange } from './http-exchange.ts';
import { ProgressWatch } from './progress-watch.ts';

/** How long a connection may be silent after it was accepted before it counts as idle. */
const FIRST_REQUEST_MS = 5_000;

/** Since when a client's connection waits, in monotonic milliseconds, and whether that is too long. */
export class ConnectionTimes {
  readonly openedAtMs: number;
  /** Last progress in the present phase. */
  sinceMs: number;
  lastReadAtMs: number;
  /** When the client ended its side; -1 before. */
  halfClosedAtMs = -1;
  readonly #timeouts: EngineTimeouts;
  /** Made when a sweep finds the connection waiting for a body, or for the client to take an answer. */
  #bodyWatch: ProgressWatch | undefined = undefined;
  #writeWatch: ProgressWatch | undefined = undefined;

  constructor(timeouts: EngineTimeouts, nowMs: number) {
    this.#timeouts = timeouts;
    this.openedAtMs = nowMs;
    this.sinceMs = nowMs;
    this.lastReadAtMs = nowMs;
  }

  get halfClosed(): boolean {
    return this.halfClosedAtMs !== -1;
  }

  /** Whether a connection that waits for a request may be closed to make room: not when it has only just come. */
  countsAsIdle(nowMs: number, served: number): boolean {
    return served > 0 || nowMs - this.sinceMs >= FIRST_REQUEST_MS;
  }

  idleTooLong(nowMs: number, served: number, draining: boolean): boolean {
    const { drainGraceMs, headMs, clientIdleMs } = this.#timeouts;
    return nowMs - this.sinceMs >= (draining ? drainGraceMs : served === 0 ? headMs : clientIdleMs);
  }

  headTooLate(nowMs: number): boolean {
    return nowMs - this.sinceMs >= this.#timeouts.headMs;
  }

  /** The time in which a connection that is refused may ask, so that it can be told why. */
  refusalDue(nowMs: number): boolean {
    return nowMs - this.openedAtMs >= this.#timeouts.lingerMs;
  }

  /** The handler has had its time, which begins anew with a body that was collected for it. */
  decisionTooLate(nowMs: number, exchange: HttpExchange): boolean {
    return nowMs - (exchange.collector?.settledAtMs ?? exchange.headReadAtMs) >= this.#timeouts.decisionMs + exchange.grantedMs;
  }

  lingeredEnough(nowMs: number): boolean {
    return nowMs - this.sinceMs >= this.#timeouts.lingerMs;
  }

  /** The client has ended its side and has waited for long enough for an answer to begin. */
  forsaken(nowMs: number, exchange: HttpExchange): boolean {
    if (!this.halfClosed || exchange.status !== 0) return false;
    return nowMs - Math.max(this.halfClosedAtMs, exchange.startedAtMs) >= this.#timeouts.halfClosedMs;
  }

  /** A part of an answer waits for the client, which has taken so many bytes in total. */
  takesTooSlowly(nowMs: number, takenBytes: number): boolean {
    const { clientWriteStallMs, answerBytesPerSecond } = this.#timeouts;
    this.#writeWatch ??= new ProgressWatch(clientWriteStallMs, answerBytesPerSecond);
    return this.#writeWatch.isTooSlow(nowMs, takenBytes, nowMs);
  }

  /** The client has taken everything. */
  tookAll(): void {
    this.#writeWatch?.pause();
  }

  /** More of a body is wanted; `bytes` of it have come. */
  arrivesTooSlowly(nowMs: number, bytes: number): boolean {
    const { bodySilenceMs, bodyBytesPerSecond } = this.#timeouts;
    this.#bodyWatch ??= new ProgressWatch(bodySilenceMs, bodyBytesPerSecond);
    return this.#bodyWatch.isTooSlow(nowMs, bytes, this.lastReadAtMs);
  }

  /** The client is kept from sending. */
  bodyHeldUp(): void {
    this.#bodyWatch?.pause();
  }

  /** The bytes of a body are counted anew. */
  bodyEnded(): void {
    this.#bodyWatch = undefined;
  }
}
