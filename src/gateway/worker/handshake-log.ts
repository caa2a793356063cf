import type { HandshakeFailure, UpstreamTlsFailure } from '../../engine/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { LogFields, Logger } from '../../observability/logger.ts';

/** Lines of one reason within a second; anybody can make handshakes fail. */
const LINES = 5;
const WINDOW_MS = 1000;

interface Window {
  startedAtMs: number;
  lines: number;
  /** Failures since the last line that had none. */
  unwritten: number;
}

/** Writes which TLS handshakes failed and why, a few lines a second for each reason, each with the number of those before it that have none. */
export class HandshakeLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** With a client, whose address this is. */
  failed({ reason, detail, serverName }: HandshakeFailure, address: string): void {
    // A certificate of ours that cannot be used is for whoever runs the gateway to mend.
    const level = reason === 'tls_certificate_unusable' ? 'error' : 'info';
    this.#write(reason, level, 'a TLS handshake failed', { reason, detail, client: address, server_name: serverName });
  }

  /** With an upstream. */
  upstreamFailed({ address, port, peerName, code }: UpstreamTlsFailure): void {
    const fields = { code, node: address, port, name: peerName };
    this.#write(`upstream ${code}`, 'warn', 'a TLS handshake with an upstream failed', fields);
  }

  #write(kind: string, level: 'info' | 'warn' | 'error', message: string, fields: LogFields): void {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(kind);
    if (window === undefined) {
      window = { startedAtMs: nowMs, lines: 0, unwritten: 0 };
      this.#windows.set(kind, window);
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
    this.#log[level](message, { ...fields, ...(unwritten === 0 ? {} : { unwritten }) });
  }
}
