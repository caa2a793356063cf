import type { Clock } from '../../lib/clock.ts';
import type { KeepAliveSettings } from '../upstream/keep-alive-settings.ts';
import type { Http2Dial } from './dial-http2.ts';
import type { SessionTerms } from './session/session-terms.ts';
import type { StoredBytes } from './session/stored-bytes.ts';
import { UpstreamSession } from './upstream-session.ts';
import { upstreamTerms } from './upstream-terms.ts';

/** What the connections to one upstream address have in common with those to others. */
export interface SessionsShare {
  readonly clock: Clock;
  readonly keepAlive: KeepAliveSettings;
  /** A connection this old serves no further request. */
  readonly ageMs: number;
  readonly stored: StoredBytes;
  /** Hears that a connection which counted for itself does so no more, but for what `yieldPlace` tells. */
  readonly onPlaceFree: () => void;
}

/**
 * The HTTP/2 connections to one upstream address. Those with room are filled up before another is made.
 *
 * Among all connections to upstreams each call counts as one, so a connection with calls on it is covered. With its last call its place passes on to
 * the connection itself (`takePlace`), and from there to the next call (`yieldPlace`): no descriptor is without a place.
 */
export class UpstreamSessions {
  readonly #dial: Http2Dial;
  readonly #terms: SessionTerms;
  readonly #clock: Clock;
  readonly #keepAlive: KeepAliveSettings;
  readonly #ageMs: number;
  readonly #onPlaceFree: () => void;
  readonly #sessions = new Set<UpstreamSession>();
  #retired = false;

  constructor(dial: Http2Dial, { clock, keepAlive, ageMs, stored, onPlaceFree }: SessionsShare) {
    this.#dial = dial;
    this.#terms = upstreamTerms(clock, stored);
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#ageMs = ageMs;
    this.#onPlaceFree = onPlaceFree;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A connection for one more request, which may not be made yet. Answered by one `giveBack`. */
  take(): UpstreamSession {
    const session = this.#withRoom() ?? this.#make();
    session.users++;
    this.#freePlace(session);
    return session;
  }

  /** Gives the place up of the connection that the next `take` finds; false where that has none. */
  yieldPlace(): boolean {
    const session = this.#withRoom();
    if (session?.counts !== true) return false;
    session.counts = false;
    return true;
  }

  /** Takes the place of a call that is over, for a connection that nobody uses any more; false where each has its own. */
  takePlace(): boolean {
    for (const session of this.#sessions) {
      if (session.users > 0 || session.counts) continue;
      session.counts = true;
      return true;
    }
    return false;
  }

  /** The one that has had a place for itself for longest. */
  get longestIdle(): UpstreamSession | undefined {
    let longest: UpstreamSession | undefined;
    for (const session of this.#sessions) {
      if (session.counts && (longest === undefined || session.idleSinceMs < longest.idleSinceMs)) longest = session;
    }
    return longest;
  }

  /** Closes one that nobody uses at once, so that its descriptor and its place are free. */
  giveWay(session: UpstreamSession): void {
    this.#forget(session);
    session.destroy();
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

  #withRoom(): UpstreamSession | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const session of this.#sessions) {
      if (!session.hasRoom) continue;
      if (session.requests < this.#keepAlive.requests && nowMs - session.openedAtMs < this.#ageMs) return session;
      session.close();
    }
    return undefined;
  }

  #make(): UpstreamSession {
    // What one connection takes the next one is believed to take, so that nobody waits for one that has no room.
    let expectedStreams = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) if (session.ready) expectedStreams = Math.min(expectedStreams, session.mostStreams);
    const nowMs = this.#clock.monotonicMs();
    const made = new UpstreamSession(this.#terms, this.#dial, { nowMs, expectedStreams }, (gone) => this.#forget(gone));
    this.#sessions.add(made);
    return made;
  }

  #forget(session: UpstreamSession): void {
    this.#sessions.delete(session);
    this.#freePlace(session);
  }

  #freePlace(session: UpstreamSession): void {
    if (!session.counts) return;
    session.counts = false;
    this.#onPlaceFree();
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
