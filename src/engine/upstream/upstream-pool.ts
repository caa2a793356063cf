import { isIP } from 'node:net';
import type { ErrorReason } from '../../errors/index.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import { type ConnectionAdmission, UNLIMITED } from '../connection-admission.ts';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import type { UpstreamTarget } from '../exchange.ts';
import { http2Dial } from '../http2/dial-http2.ts';
import { StoredBytes } from '../http2/session/stored-bytes.ts';
import { UpstreamSessions } from '../http2/upstream-sessions.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { TransportKind } from '../transport/transport-kind.ts';
import { connectFailureReason } from './connect-failure.ts';
import type { KeepAliveSettings } from './keep-alive-settings.ts';
import { type LoopPlace, loopPlace } from './loop-place.ts';
import { PooledTarget } from './pooled-target.ts';
import { SettlingConnections } from './settling-connections.ts';
import { type UpstreamAsker, UpstreamConnection, type UpstreamOwner } from './upstream-connection.ts';

const READ_BUFFER_BYTES = 64 * 1024;
const SWEEP_MS = 1000;
/** How long before the upstream's own idle time-out a connection is given up. */
const SAFETY_MS = 1000;

export interface UpstreamPoolOptions {
  readonly clock: Clock;
  /** How connections are driven, `documented` unless said; see `chooseTransport`. */
  readonly transport?: TransportKind;
  /** Most idle connections of one target that has no settings of its own; the longest idle goes first. */
  readonly idleLimit?: number;
  /** Longest time any connection is kept idle; an upstream that announces less in `Keep-Alive` shortens it. */
  readonly idleTimeoutMs?: number;
  /** A connection of a target without settings of its own is closed after this many requests. */
  readonly requestsPerConnection?: number;
  /** A connection this old serves no further request (nginx `keepalive_time`). */
  readonly connectionAgeMs?: number;
  /** `EngineLimits.storedBytes` */
  readonly storedBytes?: number;
  /** Asked before each connection is made. */
  readonly admission?: ConnectionAdmission;
  /** Where the thread's event loop is; the machine's own unless said. */
  readonly loopPlace?: () => LoopPlace;
}

/**
 * The connections to all upstreams of one worker, kept alive between requests. One request is in flight on a connection.
 *
 * Some servers answer twice: a body that they do not read as one (CL.0) is a request to them; others send a body where there can be none
 * (RFC 9112 §6.3). What lies behind an answer would be read as the next one, by whoever comes next. So a connection that was given
 * back is not used again before the event loop has asked the system once more what has arrived, and what has arrived then ends it.
 * Where that is read only behind the next request, in the same batch of events, `spokeBefore` tells it apart.
 *
 * Addresses are IP literals: names are resolved before, never on the request path.
 */
export class UpstreamPool {
  /** What streams of HTTP/2 keep, those of clients too whose requests go this way. */
  readonly stored: StoredBytes;
  readonly #clock: Clock;
  readonly #transport: TransportKind;
  readonly #defaults: KeepAliveSettings;
  readonly #idleTimeoutMs: number;
  readonly #connectionAgeMs: number;
  readonly #admission: ConnectionAdmission;
  readonly #targets = new Map<string, PooledTarget>();
  /** Held by nobody any more, while connections of HTTP/2 are left of them. */
  readonly #retired = new Set<PooledTarget>();
  readonly #open = new Set<UpstreamConnection>();
  readonly #place: () => LoopPlace;
  readonly #settling: SettlingConnections;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  /** Where frames are read to; what they carry goes on by the buffer above. */
  #frameBuffer: Buffer | undefined = undefined;
  #cancelSweep: CancelTask | undefined = undefined;
  #closed = false;

  constructor(options: UpstreamPoolOptions) {
    this.#clock = options.clock;
    this.stored = new StoredBytes(options.storedBytes ?? DEFAULT_ENGINE_LIMITS.storedBytes);
    this.#transport = options.transport ?? 'documented';
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#defaults = {
      size: options.idleLimit ?? 320,
      idleTimeoutMs: this.#idleTimeoutMs,
      requests: options.requestsPerConnection ?? 1000,
    };
    this.#connectionAgeMs = options.connectionAgeMs ?? 3_600_000;
    this.#admission = options.admission ?? UNLIMITED;
    this.#place = options.loopPlace ?? loopPlace;
    this.#settling = new SettlingConnections(this.#place, (connection) => this.#settled(connection));
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /**
   * The target of this address, the same object for every caller that holds it with the same settings. With `tls` its connections are
   * encrypted, and are for those alone who have the same identity and ask for the same name. With `http2` it is spoken to in HTTP/2, without
   * asking or, encrypted, where it agrees on that. Each call is answered by one `retire`. Throws a RangeError for an address that is no IP literal or a port that is none.
   */
  target(address: string, port: number, keepAlive: KeepAliveSettings = this.#defaults, tls?: UpstreamTls, http2 = false): UpstreamTarget {
    if (isIP(address) === 0) throw new RangeError('an upstream address must be an IP literal');
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError('an upstream port must be from 1 to 65535');
    const key = keyOf({ address, port, keepAlive, tls }, http2);
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = new PooledTarget(address, port, keepAlive, tls);
      if (http2) {
        this.#frameBuffer ??= Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
        const dial = http2Dial(target, target, { transport: this.#transport, readBuffer: this.#frameBuffer });
        const onPlaceFree = (): void => this.#admission.upstreamGone();
        const share = { clock: this.#clock, keepAlive, ageMs: this.#connectionAgeMs, stored: this.stored, onPlaceFree };
        target.sessions = new UpstreamSessions(dial, share);
      }
      this.#targets.set(key, target);
    }
    target.holders++;
    return target;
  }

  /** Ends one hold. After the last, idle connections close at once and busy ones after their request. */
  retire(target: UpstreamTarget): void {
    const pooled = pooledTarget(target);
    if (pooled.holders === 0 || --pooled.holders > 0) return;
    this.#targets.delete(keyOf(pooled, pooled.sessions !== undefined));
    if (pooled.sessions !== undefined) {
      this.#retired.add(pooled);
      pooled.sessions.retire();
    }
    for (const connection of pooled.takeAll()) connection.destroy();
  }

  /** Closes everything; requests in flight fail. */
  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const connection of this.#open) connection.transport.destroy();
    for (const target of this.#allTargets()) {
      target.takeAll();
      target.sessions?.destroy();
    }
  }

  /**
   * An idle connection; or else one that was given back so lately that it has to settle, or a fresh one, both of which are not ready yet;
   * or the reason why there can be none.
   */
  acquire(target: UpstreamTarget, asker: UpstreamAsker): UpstreamConnection | ErrorReason {
    const pooled = pooledTarget(target);
    const nowMs = this.#clock.monotonicMs();
    const place = this.#place();
    for (let idle = pooled.takeSettled(place.loopCount); idle !== undefined; idle = pooled.takeSettled(place.loopCount)) {
      if (nowMs < idle.idleUntilMs && !idle.closed) {
        take(idle, asker, place);
        return idle;
      }
      idle.destroy();
    }
    // What is left has been given back just now.
    const settling = pooled.takeFresh();
    if (settling === undefined) return this.connect(pooled, asker);
    settling.ready = false;
    settling.asker = asker;
    this.#settling.add(settling);
    return settling;
  }

  /** A fresh connection, whatever is idle; or the reason why there can be none, when nothing idle can be closed for it. */
  connect(target: UpstreamTarget, owner: UpstreamOwner): UpstreamConnection | ErrorReason {
    const pooled = pooledTarget(target);
    const refusal = pooled.sessions?.yieldPlace() === true ? undefined : this.#admit();
    if (refusal !== undefined) {
      this.#admission.refused(refusal);
      return refusal;
    }
    let connection: UpstreamConnection;
    try {
      connection = new UpstreamConnection(pooled, owner, this, this.#transport, this.#readBuffer);
    } catch (error) {
      this.#admission.upstreamGone();
      throw error;
    }
    connection.openedAtMs = this.#clock.monotonicMs();
    this.#open.add(connection);
    this.#cancelSweep ??= this.#clock.schedule(SWEEP_MS, () => this.#sweep());
    return connection;
  }

  /** Closes up to `count` idle connections, those idle longest first. */
  closeIdle(count: number): void {
    for (let closed = 0; closed < count; closed++) if (!this.#closeLongestIdle()) return;
  }

  /** Gives a connection up, whoever owns it; another may be made in its place at once. */
  discard(connection: UpstreamConnection): void {
    connection.destroy();
    // Its descriptor is free already, only the event comes later.
    this.#uncount(connection);
  }

  /** Takes back a connection on which nothing is in flight. `keepAliveMs` is what the upstream announced, or infinity. */
  release(connection: UpstreamConnection, keepAliveMs: number): void {
    const target = connection.target;
    const { size, idleTimeoutMs, requests } = target.keepAlive;
    const nowMs = this.#clock.monotonicMs();
    const idleMs = Math.min(this.#idleTimeoutMs, idleTimeoutMs, keepAliveMs - SAFETY_MS);
    connection.owner = undefined;
    const worn = connection.requests >= requests || nowMs - connection.openedAtMs >= this.#connectionAgeMs;
    if (worn || target.sessions !== undefined || connection.closed || target.holders === 0 || idleMs <= 0 || this.#closed) {
      connection.destroy();
      return;
    }
    connection.freedTurn = this.#place().loopCount;
    connection.idleSinceMs = nowMs;
    connection.idleUntilMs = nowMs + idleMs;
    target.putIdle(connection, connection.freedTurn);
    if (target.idleCount > size) this.#closeLongestIdleOf(target);
  }

  /** Whether what has just been read of an answer was there before its request: of the same batch of events as what the request came from. */
  spokeBefore(connection: UpstreamConnection): boolean {
    if (!connection.reused) return false;
    const { loopCount, events } = this.#place();
    return connection.takenTurn === loopCount && connection.takenEvents === events;
  }

  onIdleDisturbed(connection: UpstreamConnection): void {
    const { asker } = connection;
    this.discard(connection);
    this.#lost(connection, asker);
  }

  onGone(connection: UpstreamConnection, failure: string | undefined): void {
    if (connectFailureReason(failure) === 'out_of_descriptors') this.#admission.refused('out_of_descriptors');
    this.#uncount(connection);
    this.#lost(connection, connection.asker);
  }

  #lost(connection: UpstreamConnection, asker: UpstreamAsker | undefined): void {
    connection.asker = undefined;
    if (asker === undefined) connection.target.removeIdle(connection);
    else asker.onLost();
  }

  #settled(connection: UpstreamConnection): void {
    const { asker } = connection;
    if (asker === undefined) return;
    connection.asker = undefined;
    connection.ready = true;
    take(connection, asker, this.#place());
    asker.onConnected();
  }

  /** Counts a connection to be made; when there are too many, for one that is closed instead. */
  #admit(): ErrorReason | undefined {
    const refusal = this.#admission.admitUpstream();
    if (refusal === undefined || !this.#closeLongestIdle()) return refusal;
    return this.#admission.admitUpstream();
  }

  /** Of whatever target and protocol. */
  #closeLongestIdle(): boolean {
    let longest: PooledTarget | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const target of this.#allTargets()) {
      const { idleSinceMs } = target.sessions?.longestIdle ?? target.longestIdle ?? {};
      if (idleSinceMs === undefined || idleSinceMs >= sinceMs) continue;
      longest = target;
      sinceMs = idleSinceMs;
    }
    const session = longest?.sessions?.longestIdle;
    if (session !== undefined) longest?.sessions?.giveWay(session);
    const connection = longest?.longestIdle;
    if (connection !== undefined) {
      longest?.removeIdle(connection);
      this.discard(connection);
    }
    return longest !== undefined;
  }

  #closeLongestIdleOf(target: PooledTarget): void {
    const { longestIdle } = target;
    if (longestIdle === undefined) return;
    target.removeIdle(longestIdle);
    longestIdle.destroy();
  }

  /** Each connection is counted once, however many ways lead here. A call may leave its place to what it was made on. */
  #uncount(connection: UpstreamConnection): void {
    if (this.#open.delete(connection) && connection.target.sessions?.takePlace() !== true) this.#admission.upstreamGone();
  }

  *#allTargets(): Iterable<PooledTarget> {
    yield* this.#targets.values();
    yield* this.#retired;
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const target of this.#targets.values()) {
      for (const connection of target.idle.filter((idle) => idle.idleUntilMs <= nowMs)) this.onIdleDisturbed(connection);
    }
    let sessions = 0;
    for (const target of this.#allTargets()) {
      target.sessions?.sweep(nowMs, Math.min(this.#idleTimeoutMs, target.keepAlive.idleTimeoutMs));
      const size = target.sessions?.size ?? 0;
      sessions += size;
      if (size === 0) this.#retired.delete(target);
    }
    if (this.#open.size + sessions > 0) this.#cancelSweep = this.#clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}

function take(connection: UpstreamConnection, owner: UpstreamOwner, { loopCount, events }: LoopPlace): void {
  connection.owner = owner;
  connection.takenTurn = loopCount;
  connection.takenEvents = events;
}

function pooledTarget(target: UpstreamTarget): PooledTarget {
  if (target instanceof PooledTarget) return target;
  throw new TypeError('an upstream target must come from UpstreamPool.target');
}

/** Upstreams that keep their connections in different ways, or show themselves as others, share none. */
function keyOf({ address, port, keepAlive, tls }: Pick<PooledTarget, 'address' | 'port' | 'keepAlive' | 'tls'>, http2: boolean): string {
  const { size, idleTimeoutMs, requests } = keepAlive;
  const plain = `${address} ${port} ${size} ${idleTimeoutMs} ${requests} ${http2 ? 2 : 1}`;
  return tls === undefined ? plain : `${plain} ${tls.identity.key} ${tls.serverName ?? ''} ${tls.peerName}`;
}
