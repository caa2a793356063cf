import type { HandshakeFailure } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/logger.ts';

/** Lines of one reason within a second; anybody can make handshakes fail. */
const LINES = 5;
const WINDOW_MS = 1000;

interface Window {
  startedAtMs: number;
  lines: number;
  /** Failures since the last line that had none. */
  unwritten: number;
}

/** Writes which TLS handshakes of clients failed and why, a few lines a second for each reason, each with the number of those before it that have none. */
export class HandshakeLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #windows = new Map<ErrorReason, Window>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `address` is the client's. */
  failed({ reason, detail, serverName }: HandshakeFailure, address: string): void {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(reason);
    if (window === undefined) {
      window = { startedAtMs: nowMs, lines: 0, unwritten: 0 };
      this.#windows.set(reason, window);
    }
    if (nowMs - window.startedAtMs >= WINDOW_MS) {
      window.startedAtMs = nowMs;
      window.lines = 0;
    }
    if (window.lines >= LINES) {
      window.unwritten++;
      return;
    }
    const { unwritten } = window;
    window.lines++;
    window.unwritten = 0;
    // A certificate of ours that cannot be used is for whoever runs the gateway to mend.
    const level = reason === 'tls_certificate_unusable' ? 'error' : 'info';
    this.#log[level]('a TLS handshake failed', {
      reason,
      detail,
      client: address,
      server_name: serverName,
      ...(unwritten === 0 ? {} : { unwritten }),
    });
  }
}
