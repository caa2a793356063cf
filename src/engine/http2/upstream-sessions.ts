import type { Clock } from '../../lib/clock.ts';
import type { KeepAliveSettings } from '../upstream/keep-alive-settings.ts';
import type { Http2Dial } from './dial-http2.ts';
import type { SessionTerms } from './session/session-terms.ts';
import type { StoredBytes } from './session/stored-bytes.ts';
import { UpstreamSession } from './upstream-session.ts';
import { upstreamTerms } from './upstream-terms.ts';

/** The HTTP/2 connections to one upstream address. Those with room are filled up before another is made. */
export class UpstreamSessions {
  readonly #dial: Http2Dial;
  readonly #terms: SessionTerms;
  readonly #clock: Clock;
  readonly #keepAlive: KeepAliveSettings;
  readonly #ageMs: number;
  readonly #sessions = new Set<UpstreamSession>();
  #retired = false;

  constructor(dial: Http2Dial, clock: Clock, keepAlive: KeepAliveSettings, ageMs: number, stored: StoredBytes) {
    this.#dial = dial;
    this.#terms = upstreamTerms(clock, stored);
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#ageMs = ageMs;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A connection for one more request, which may not be made yet. Answered by one `giveBack`. */
  take(): UpstreamSession {
    const nowMs = this.#clock.monotonicMs();
    let expectedStreams = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      // What one connection takes the next one is believed to take, so that nobody waits for one that has no room.
      if (session.ready) expectedStreams = Math.min(expectedStreams, session.mostStreams);
      if (!session.hasRoom) continue;
      if (session.requests >= this.#keepAlive.requests || nowMs - session.openedAtMs >= this.#ageMs) {
        session.close();
        continue;
      }
      session.users++;
      return session;
    }
    const made = new UpstreamSession(this.#terms, this.#dial, { nowMs, expectedStreams }, (gone) => this.#sessions.delete(gone));
    this.#sessions.add(made);
    made.users++;
    return made;
  }

  giveBack(session: UpstreamSession): void {
    session.users--;
    session.idleSinceMs = this.#clock.monotonicMs();
    // Whoever comes next had better try anew than wait for one that somebody could not wait for.
    if (!session.ready) session.retire();
    if (session.users > 0) return;
    if (!session.ready) session.destroy();
    else if (this.#retired) session.close();
    else this.#closeSurplus();
  }

  /** Closes those that nobody has used for their time, and those whose upstream has vanished. */
  sweep(nowMs: number, idleMs: number): void {
    for (const session of this.#sessions) {
      session.checkAlive(nowMs);
      if (session.users === 0 && nowMs - session.idleSinceMs >= idleMs) session.close();
    }
  }

  /** Closes those that nobody uses, and the others behind their last request. */
  retire(): void {
    this.#retired = true;
    for (const session of this.#sessions) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }

  /** No more are kept idle than of HTTP/1.1: an upstream that takes few requests on each has many when there were many at once. */
  #closeSurplus(): void {
    let idle = 0;
    let longest: UpstreamSession | undefined;
    for (const session of this.#sessions) {
      if (session.users > 0 || !session.ready) continue;
      idle++;
      if (longest === undefined || session.idleSinceMs < longest.idleSinceMs) longest = session;
    }
    if (idle > this.#keepAlive.size) longest?.close();
  }
}
