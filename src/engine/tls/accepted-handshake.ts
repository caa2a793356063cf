import type { ErrorReason } from '../../errors/index.ts';
import type { AcceptedConnection } from '../transport/accepted-connection.ts';
import type { HandshakeEvents, PendingHandshake } from './handshake-events.ts';
import type { WatchedHandshake } from './handshakes.ts';

/** The handshake of an accepted connection. */
export class AcceptedHandshake implements WatchedHandshake {
  readonly startedAtMs: number;
  #pending: PendingHandshake | undefined;

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }

  /** Begins it; nothing is heard of it before this returns. */
  begin(secure: NonNullable<AcceptedConnection['secure']>, events: HandshakeEvents): void {
    this.#pending = secure(events);
  }

  fail(reason: ErrorReason): void {
    this.#pending?.fail(reason);
  }
}
