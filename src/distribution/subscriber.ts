import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/message-of.ts';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/logger.ts';
import type { SnapshotDelta } from '../schema/snapshot.ts';
import type { ConfigurationApplier } from './configuration-applier.ts';
import { type ControlPlaneAddress, ControlPlaneRotation, type SessionEnd } from './control-plane-rotation.ts';
import type { FormerProcesses } from './former-processes.ts';
import { FrameConnection } from './frame-connection.ts';
import type { HealthReport } from './health-report.ts';
import { HeldConfiguration } from './held-configuration.ts';
import type { Journal, PreviousProcessEnd } from './journal.ts';
import { OtherControlPlanes } from './other-control-planes.ts';
import { HEARTBEAT_INTERVAL_MS, type HelloMessage, MAX_FRAME_BYTES, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from './protocol.ts';
import { StateCheck, type StateCheckResult } from './state-hash/state-check.ts';
import { openSyncConnection, type SubscriberIdentity } from './sync-client.ts';
import { SyncSession } from './sync-session.ts';
import { ConnectionUsageLink, type UsageLink } from './usage-link.ts';

/** What a subscriber needs, and whom it tells. */
export interface SubscriberOptions {
  /** At least one; which is tried when: `ControlPlaneRotation`. */
  readonly controlPlanes: readonly ControlPlaneAddress[];
  readonly identity: SubscriberIdentity;
  readonly applier: ConfigurationApplier;
  readonly journal: Journal;
  readonly previousEnd: PreviousProcessEnd;
  /** Absent: no other process of this instance serves. */
  readonly former?: FormerProcesses | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
  readonly softwareVersion: string;
  /** What control planes show people. */
  readonly facts?: Pick<HelloMessage, 'hostname' | 'cores' | 'workers'>;
  /** The newest revision that the control plane has named is in force, and of its history. Called each time that becomes so. */
  readonly onCurrent?: (revision: number) => void;
  readonly onRefused?: (revision: number, reason: string) => void;
  /** A control plane tells by what time it lets things expire, in milliseconds since 1970: each time that it gives a sign of life. */
  readonly onTime?: (nowMs: number) => void;
  /** The control plane names the authorities that are to be trusted (PEM, the one that issues now first). Called after each welcome. */
  readonly onAuthorities?: (authority: string) => void;
  /** Called once, when the disk copy is in force and before the first connection: may put something newer in force. Never rejects. */
  readonly beforeConnecting?: (held: HeldConfiguration, signal: AbortSignal) => Promise<void>;
}

/** A hung control plane is left this soon before it has said how often it gives a sign of life. */
const FIRST_SILENCE_LIMIT_MS = 6_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** With others to go to. */
const SHORT_CONNECT_TIMEOUT_MS = 3_000;
/** Causes of failures that are told once each. */
const MAX_TOLD_FAILURES = 100;

/**
 * The gateway's end of distribution. It puts the disk copy in force, then follows the control plane for ever: whatever fails, the
 * configuration in force stays and it comes back, sooner or later by back-off with jitter.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #held: HeldConfiguration;
  readonly #stateCheck: StateCheck;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** What is being done with the last frame. */
  #lastFrame: Promise<void> = Promise.resolve();
  #isHandedOver = false;
  #isConnected = false;
  #identity: SubscriberIdentity;
  /** By which the last connection was made. */
  #shownIdentity: SubscriberIdentity | undefined;
  #session: SyncSession | undefined;
  readonly #rotation: ControlPlaneRotation;
  readonly #others: OtherControlPlanes;
  readonly #toldFailures = new Set<string>();
  #health: HealthReport | undefined;
  #connection: Pick<FrameConnection, 'send'> | undefined;
  #usageLink: UsageLink | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#held = new HeldConfiguration(options);
    this.#stateCheck = new StateCheck({ ...options, held: this.#held });
    this.#rotation = new ControlPlaneRotation(options.controlPlanes, options.random);
    this.#others = new OtherControlPlanes({ ...options, signal: this.#stopping.signal });
  }

  /** In force; undefined when nothing is that could be built upon. */
  get revision(): number | undefined {
    return this.#held.revision;
  }

  /** A control plane has welcomed this instance, and the connection stands. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The newest that the control plane has named on the present connection; undefined while none is connected or it cannot know, or what is in force is of another history. */
  get newestRevision(): number | undefined {
    return this.#isConnected ? this.#session?.newestRevision : undefined;
  }

  /** Whether what is held is what the control plane has; undefined before that was compared for the first time. */
  get stateCheck(): StateCheckResult | undefined {
    return this.#stateCheck.result;
  }

  /** Resolves when the disk copy, if there is one, is in force; the connection is made afterwards. Never rejects. */
  async start(): Promise<void> {
    await this.#held.load(this.#options.previousEnd);
    await this.#options.beforeConnecting?.(this.#held, this.#stopping.signal);
    this.#running = this.#run();
  }

  /** A renewed certificate of the same instance, for connections from now on; the one that stands goes on. */
  useIdentity(identity: SubscriberIdentity): void {
    this.#identity = identity;
  }

  /** All candidates have to run for ten seconds once more. To be called when a worker dies. */
  restartProbation(): void {
    this.#held.restartProbation();
  }

  /** Tells the control plane what nodes are taken for: now, and whenever a connection is made anew. */
  reportHealth(report: HealthReport): void {
    this.#health = report;
    if (this.#isConnected) this.#connection?.send({ kind: 'health', ...report });
  }

  /** Where what was counted goes; undefined while no control plane is connected. */
  get usageLink(): UsageLink | undefined {
    return this.#isConnected ? this.#usageLink : undefined;
  }

  /** Ends the connection and resolves when nothing is being applied any more. The journal stays open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#held.stop();
    await this.#running;
  }

  /**
   * Resolves when nothing that a control plane sends is being applied any more. The connection stays, without an answer, until the process that takes over
   * has one: writes go on to count the instance, and are not told to be in force while nobody brings them here.
   */
  async handOver(): Promise<void> {
    if (!this.#isConnected) return this.stop();
    this.#isHandedOver = true;
    this.#held.stop();
    await this.#lastFrame.catch(() => undefined);
    await this.#session?.end();
  }

  /** After `handOver`: puts in force what the process that took over has put in force. @throws as `HeldConfiguration.follow` */
  async follow(delta: SnapshotDelta): Promise<void> {
    // What was on its way when everything was handed over may still be put in force.
    await this.#lastFrame.catch(() => undefined);
    await this.#held.follow(delta);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const startedMs = clock.monotonicMs();
      const end = await this.#connectOnce().catch((error: unknown): SessionEnd => ({ kind: 'unreachable', reason: messageOf(error) }));
      this.#isConnected = false;
      if (this.#stopping.signal.aborted || this.#isHandedOver) return;
      if (this.#held.revision === undefined) await this.#options.beforeConnecting?.(this.#held, this.#stopping.signal);
      this.#tellFailure(end.reason, log);
      await this.#pause(this.#rotation.moveOn(this.#heeded(end), clock.monotonicMs() - startedMs));
    }
  }

  /** Whoever was turned away with a certificate that has been renewed since shows the new one at once. */
  #heeded(end: SessionEnd): SessionEnd {
    return end.kind === 'rejected' && this.#shownIdentity !== this.#identity ? { ...end, kind: 'lost' } : end;
  }

  /** Once per cause: an unreachable control plane is tried every few seconds. */
  #tellFailure(cause: string, log: Logger): void {
    if (this.#toldFailures.has(cause) || this.#toldFailures.size >= MAX_TOLD_FAILURES) return;
    this.#toldFailures.add(cause);
    log.warn('no connection to the control plane; the configuration in force stays', { cause });
  }

  async #connectOnce(): Promise<SessionEnd> {
    const { clock, log } = this.#options;
    const identity = this.#identity;
    this.#shownIdentity = identity;
    const { host, port } = this.#rotation.current;
    const { signal } = this.#stopping;
    const timeoutMs = this.#rotation.hasOthers ? SHORT_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS;
    const { socket, head } = await openSyncConnection({ host, port, identity, clock, signal, timeoutMs });
    if (signal.aborted) socket.destroy();
    return new Promise((resolve) => {
      const stop = (): void => connection.close('the gateway is stopping');
      const connection: FrameConnection = new FrameConnection({
        socket,
        head,
        maxFrameBytes: MAX_FRAME_BYTES,
        silenceLimitMs: FIRST_SILENCE_LIMIT_MS,
        clock,
        onFrame: (text) => {
          if (this.#isHandedOver) return Promise.resolve();
          this.#lastFrame = session.receive(text).then(() => {
            this.#noteWelcome(session);
            if (session.isStoreAway) void this.#leaveForOther(connection);
          });
          return this.#lastFrame;
        },
        onClosed: (reason) => {
          signal.removeEventListener('abort', stop);
          // What is being applied when the connection goes away is applied to the end.
          this.#lastFrame
            .catch(() => undefined)
            .then(() => session.end())
            .catch((error: unknown) => log.error('a snapshot that broke off could not be removed', {}, error))
            .then(() => resolve(endOf(session, reason)));
        },
      });
      const usage = new ConnectionUsageLink(connection);
      const session = new SyncSession({
        identity,
        held: this.#held,
        stateCheck: this.#stateCheck,
        connection,
        usage,
        log,
        onCurrent: (revision) => this.#options.onCurrent?.(revision),
        onRefused: (revision, reason) => this.#options.onRefused?.(revision, reason),
        onTime: (nowMs) => this.#options.onTime?.(nowMs),
        onAuthorities: (authority) => this.#options.onAuthorities?.(authority),
      });
      this.#session = session;
      signal.addEventListener('abort', stop);
      this.#connection = connection;
      this.#usageLink = usage;
      connection.start();
      connection.send({ ...this.#hello(), ...addressOf(socket) });
    });
  }

  #hello(): HelloMessage {
    return {
      kind: 'hello',
      protocol: PROTOCOL_VERSION,
      oldestProtocol: OLDEST_PROTOCOL_VERSION,
      softwareVersion: this.#options.softwareVersion,
      revision: this.#held.revision ?? 0,
      ...(this.#held.followedRevision === undefined ? {} : { followedRevision: this.#held.followedRevision }),
      history: this.#held.history,
      heartbeatMs: HEARTBEAT_INTERVAL_MS,
      ...this.#options.facts,
    };
  }

  /**
   * Its control plane does not reach the store, and writes through others do not wait for this instance: it goes to one that does, if there is one. It may
   * not have been welcomed either, by one that does not know yet whether it may be.
   */
  async #leaveForOther(connection: FrameConnection): Promise<void> {
    if (!this.#rotation.hasOthers) return;
    const other = await this.#others.find(this.#rotation.others, this.#identity, this.#hello());
    if (other === undefined || connection.isClosed) return;
    this.#rotation.prefer(other);
    connection.close('the control plane does not reach its store, and another one does');
  }

  #noteWelcome(session: SyncSession): void {
    if (this.#isConnected || !session.isWelcome) return;
    this.#isConnected = true;
    this.#options.former?.leaveControlPlane();
    this.#toldFailures.clear();
    if (this.#health !== undefined) this.reportHealth(this.#health);
    this.#options.log.info('connected to the control plane', { ...this.#rotation.current });
  }

  #pause(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    log.debug('the control plane will be tried again', { inMs: Math.round(delayMs) });
    return new Promise((resolve) => {
      const cancel = clock.schedule(delayMs, done);
      signal.addEventListener('abort', done);
      function done(): void {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
}

function addressOf(socket: Duplex): { readonly address?: string } {
  return socket instanceof Socket && socket.localAddress !== undefined ? { address: socket.localAddress } : {};
}

function endOf(session: SyncSession, reason: string): SessionEnd {
  if (session.rejection !== undefined) return { kind: 'rejected', reason: session.rejection };
  return { kind: session.isWelcome ? 'lost' : 'unreachable', reason };
}
