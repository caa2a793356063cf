import { StartError } from '../../errors/index.ts';
import { type BackoffSteps, backoffDelayMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { SerialQueue } from '../../lib/serial-queue.ts';
import type { Logger } from '../../observability/index.ts';
import type { RunningGateway, StreamAddress, WorkerListeners } from '../gateway-options.ts';
import type { AgentMessage, RuntimeChange, TestFailure } from '../worker/worker-messages.ts';
import { type ChangeRound, type RoundOutcome, runChangeRound } from './change-round.ts';
import { FleetMember } from './fleet-member.ts';
import { FleetSlot, type WorkerState } from './fleet-slot.ts';
import { type OwnAddresses, SlotSockets } from './slot-sockets.ts';
import { StreamSockets } from './stream-sockets.ts';
import type { WorkerThread } from './worker-thread.ts';

/** What a fleet needs from its agent. */
export interface WorkerFleetOptions {
  readonly workers: readonly WorkerListeners[];
  readonly own: OwnAddresses & { readonly streamAddresses: readonly StreamAddress[] };
  readonly clock: Clock;
  readonly log: Logger;
  readonly yieldTurn: () => Promise<void>;
  /** Starts a thread that has nothing yet; its end is told by `onThreadEnded`. */
  readonly startThread: () => WorkerThread;
  /** What a new thread is told before it gets the configuration. */
  readonly greeting: () => readonly AgentMessage[];
  /** The services and routes in force, in parts. */
  readonly configuration: () => Iterable<readonly RuntimeChange[]>;
  readonly beatOf: (row: number) => number;
  /** At most one copy of a socket is left. Called once. */
  readonly onDescriptorsUsedUp: () => void;
  /** A worker began to listen or stopped. */
  readonly onStateChanged: () => void;
  /** An address of our own cannot be had: somebody must correct that. */
  readonly onAddressRefused: (error: StartError) => void;
}

/** How one change ended. */
export type ApplyOutcome = { readonly kind: 'committed' } | { readonly kind: 'refused'; readonly message: string };

const RESTART_BACKOFF: BackoffSteps = { firstDelayMs: 500, highestDelayMs: 10_000 };
/** A worker that listened for this long did not die of how it was started. */
const STABLE_MS = 30_000;
const MAX_ROUNDS = 3;
const PREPARE_TIMEOUT_MS = 30_000;
/** What a worker gets beyond the time-out of a drain to report that it has cut everything. */
const DRAIN_GRACE_MS = 1000;
/** The change by which a new thread gets the whole configuration. */
const FIRST_CHANGE = 0;

/**
 * All worker threads of a gateway: as many as there are slots, and one more that has everything but a socket, so that a worker
 * which dies is replaced at once and the connections in its queue wait for milliseconds, not for a thread to start.
 */
export class WorkerFleet {
  readonly #options: WorkerFleetOptions;
  readonly #slots: readonly FleetSlot[];
  readonly #members = new Set<FleetMember>();
  /** Changes, and threads that join: one at a time, so that no thread joins in the middle of a change. */
  readonly #rounds = new SerialQueue();
  readonly #runningWaiters: (() => void)[] = [];
  #lastChange = FIRST_CHANGE;
  #pendingStarts = 0;
  #failures = 0;
  #mayListen = false;
  #closing = false;
  #usedUpTold = false;
  #ports: readonly number[] = [];
  #streamPorts: readonly number[] = [];
  #encryptedPorts: readonly number[] = [];

  constructor(options: WorkerFleetOptions) {
    this.#options = options;
    this.#slots = options.workers.map((listeners, index) => {
      const { own } = options;
      const { streamAddresses: addresses, reusePort } = own;
      const streams = new StreamSockets({ addresses, descriptors: listeners.streamDescriptors ?? [], reusePort });
      return new FleetSlot(index, new SlotSockets(listeners, own), streams);
    });
  }

  get states(): readonly WorkerState[] {
    return this.#slots.map((slot) => slot.state);
  }

  get allListening(): boolean {
    return this.#slots.every((slot) => slot.listening);
  }

  /** A thread waits that can take the place of a worker at once. */
  get hasSpare(): boolean {
    return [...this.#members].some((member) => member.state === 'running' && !this.#isInSlot(member));
  }

  /** Ports that the workers listen on, in the order of the addresses; empty as long as none does, of TLS before the first certificate. */
  get listening(): Omit<RunningGateway['ports'], 'status' | 'metrics'> {
    return { http: this.#ports, https: this.#encryptedPorts, streams: this.#streamPorts };
  }

  /** The row of the thread in each slot, in their order; undefined where there is none. */
  get rows(): readonly (number | undefined)[] {
    return this.#slots.map((slot) => slot.member?.thread.row);
  }

  /** Index of the slot that a thread serves; undefined for the spare. */
  slotOf(thread: WorkerThread): number | undefined {
    return this.#slots.find((slot) => slot.member?.thread === thread)?.index;
  }

  start(): void {
    this.#balance();
  }

  /** A configuration is in force: workers may begin to accept. */
  allowListening(): void {
    if (this.#mayListen) return;
    this.#mayListen = true;
    this.#balance();
  }

  /** To every thread, whether it has loaded yet or not. */
  broadcast(message: AgentMessage): void {
    for (const member of this.#members) member.thread.post(message);
  }

  /**
   * Puts a change in force on all workers, or on none. `onPrepared` runs when it is certain that it can be, right before any worker
   * swaps; from then on a thread that starts loads the configuration with it.
   */
  async apply(changes: readonly RuntimeChange[], onPrepared: () => void): Promise<ApplyOutcome> {
    for (let rounds = 1; ; rounds++) {
      await this.#someRunning();
      const outcome = await this.#rounds.run(() => this.#applyOnce(changes, onPrepared));
      if (outcome.kind !== 'worker-ended') return outcome;
      // A stop says nothing about the change: it is neither in force nor refused, and is tried again by the next process.
      if (this.#closing) return new Promise(() => {});
      if (rounds === MAX_ROUNDS) return { kind: 'refused', message: 'worker threads ended while they compiled it' };
    }
  }

  /** To be called four times a second. */
  checkHeartbeats(): void {
    for (const member of this.#members) {
      if (!member.isSilent(this.#options.beatOf(member.thread.row))) continue;
      void member.thread.terminate('its heartbeat was silent for 2 s');
    }
  }

  /** A thread is gone. */
  onThreadEnded(thread: WorkerThread): void {
    for (const member of this.#members) {
      if (member.thread !== thread) continue;
      this.#members.delete(member);
      this.#noteFailure(member);
    }
    for (const slot of this.#slots) {
      if (slot.member?.thread !== thread) continue;
      slot.member = undefined;
      slot.listening = false;
    }
    if (this.#closing) return;
    this.#balance();
    this.#options.onStateChanged();
  }

  /** A worker has closed its listeners for want of descriptors, or could listen again: each time takes a fresh copy of its sockets. */
  onAccepting(thread: WorkerThread, state: 'paused' | 'may-resume'): void {
    const slot = this.#slots.find(({ member }) => member?.thread === thread);
    if (slot?.member === undefined || this.#closing) return;
    slot.listening = false;
    this.#options.onStateChanged();
    if (state === 'may-resume') void this.#listen(slot, slot.member);
  }

  /** A worker listens where clients speak TLS. */
  onListeningEncrypted(ports: readonly number[]): void {
    this.#encryptedPorts = ports;
    this.#options.onStateChanged();
  }

  /** Makes a worker fail on purpose; false when the slot has none. */
  fail(index: number, failure: TestFailure): boolean {
    const member = this.#slots[index]?.member;
    if (member === undefined || member.thread.ended) return false;
    member.thread.fail(failure);
    return true;
  }

  /** Nothing new is accepted; resolves when all connections have ended, at the latest a moment after `timeoutMs`, and no thread is left. */
  async drain(timeoutMs: number): Promise<void> {
    this.#closing = true;
    this.#wakeWaiters();
    const listening = this.#slots.flatMap((slot) => (slot.member === undefined ? [] : [slot.member.thread]));
    const spare = [...this.#members].map((member) => member.thread).filter((thread) => !listening.includes(thread));
    for (const slot of this.#slots) {
      slot.sockets.closeUnused();
      slot.streams.closeUnused();
    }
    const drained = Promise.all(listening.map((thread) => thread.drain(timeoutMs)));
    await Promise.race([drained, this.#after(timeoutMs + DRAIN_GRACE_MS)]);
    await Promise.all([...listening, ...spare].map((thread) => thread.terminate('the gateway stops')));
  }

  async #applyOnce(changes: readonly RuntimeChange[], onPrepared: () => void): Promise<RoundOutcome> {
    const running = [...this.#members].filter((member) => member.state === 'running');
    return runChangeRound(
      this.#round(
        running.map((member) => member.thread),
        changes,
        () => {
          onPrepared();
          for (const member of this.#members) if (member.state === 'loading') member.backlog.push(...changes);
        },
      ),
    );
  }

  #round(threads: readonly WorkerThread[], changes: readonly RuntimeChange[], onPrepared: () => void): ChangeRound {
    const { clock, yieldTurn } = this.#options;
    return {
      number: ++this.#lastChange,
      threads,
      changes,
      prepareTimeoutMs: PREPARE_TIMEOUT_MS,
      schedule: (delayMs, task) => clock.schedule(delayMs, task),
      yieldTurn,
      onPrepared,
    };
  }

  #someRunning(): Promise<void> {
    if (this.#closing || [...this.#members].some((member) => member.state === 'running')) return Promise.resolve();
    return new Promise((resolve) => this.#runningWaiters.push(resolve));
  }

  #wakeWaiters(): void {
    for (const resolve of this.#runningWaiters.splice(0)) resolve();
  }

  /** Gives spare threads to slots without one, and starts what threads are missing. */
  #balance(): void {
    if (this.#closing) return;
    if (this.#mayListen) this.#fillSlots();
    const served = this.#slots.filter((slot) => !slot.lost).length;
    const wanted = served + (served > 0 && this.#slots.every((slot) => slot.listening || slot.lost) ? 1 : 0);
    while (this.#members.size + this.#pendingStarts < wanted) this.#startLater(backoffDelayMs(this.#failures, RESTART_BACKOFF));
  }

  #fillSlots(): void {
    const spares = [...this.#members].filter((member) => member.state === 'running' && !this.#isInSlot(member));
    for (const slot of this.#slots) {
      if (slot.member !== undefined) continue;
      // The first worker finds out the ports that the others then share.
      if (!slot.sockets.handedDown && this.#ports.length === 0 && this.#slots.some((other) => other.member !== undefined)) return;
      const member = spares.shift();
      if (member === undefined) return;
      void this.#listen(slot, member);
    }
  }

  #isInSlot(member: FleetMember): boolean {
    return this.#slots.some((slot) => slot.member === member);
  }

  async #listen(slot: FleetSlot, member: FleetMember): Promise<void> {
    const sockets = slot.sockets.take({ plain: this.#ports, encrypted: this.#encryptedPorts });
    if (sockets === undefined) return;
    slot.member = member;
    if (slot.sockets.runningLow && !this.#usedUpTold) {
      this.#usedUpTold = true;
      this.#options.onDescriptorsUsedUp();
    }
    const outcome = await member.thread.listen(sockets, slot.streams.take(this.#streamPorts));
    switch (outcome.kind) {
      case 'listening':
        slot.listening = true;
        member.listeningSinceMs = this.#options.clock.monotonicMs();
        this.#ports = outcome.ports;
        this.#streamPorts = outcome.streamPorts;
        this.#balance();
        this.#options.onStateChanged();
        return;
      case 'failed':
        this.#listenFailed(slot, outcome);
        await member.thread.terminate('it could not listen');
        return;
      case 'ended':
    }
  }

  #listenFailed(slot: FleetSlot, failure: { readonly code: string; readonly message: string }): void {
    this.#options.log.error('a worker cannot listen', { worker: slot.index, code: failure.code, cause: failure.message });
    if (slot.sockets.handedDown || this.#ports.length > 0) return;
    const places = this.#options.own.addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
    const why = failure.code === 'EADDRINUSE' ? 'already in use' : `refused by the system (${failure.code})`;
    this.#options.onAddressRefused(new StartError(`The gateway cannot listen on ${places}: ${why}.`));
  }

  #startLater(delayMs: number): void {
    this.#pendingStarts++;
    const start = (): void => {
      this.#pendingStarts--;
      if (this.#closing) return;
      const member = new FleetMember(this.#options.startThread());
      this.#members.add(member);
      void this.#load(member);
    };
    if (delayMs === 0) start();
    else this.#options.clock.schedule(delayMs, start);
  }

  /** Gives a new thread the configuration in force, and lets it join when it has all that came meanwhile too. */
  async #load(member: FleetMember): Promise<void> {
    const { thread } = member;
    for (const message of this.#options.greeting()) thread.post(message);
    for (const changes of this.#options.configuration()) {
      thread.post({ kind: 'changes', change: FIRST_CHANGE, changes });
      await this.#options.yieldTurn();
      if (thread.ended) return;
    }
    if (!(await this.#prepareAndCommit(member, FIRST_CHANGE))) return;
    await this.#rounds.run(() => this.#join(member));
    this.#wakeWaiters();
    this.#balance();
  }

  async #join(member: FleetMember): Promise<void> {
    while (member.backlog.length > 0 && !member.thread.ended) {
      const change = ++this.#lastChange;
      member.thread.post({ kind: 'changes', change, changes: member.backlog.splice(0) });
      if (!(await this.#prepareAndCommit(member, change))) return;
    }
    if (!member.thread.ended) member.state = 'running';
  }

  async #prepareAndCommit(member: FleetMember, change: number): Promise<boolean> {
    const outcome = await member.thread.prepare(change);
    if (outcome.kind === 'refused') {
      this.#options.log.error('a worker cannot load the configuration in force', { cause: outcome.message });
      await member.thread.terminate('it could not load the configuration');
    }
    if (outcome.kind !== 'prepared') return false;
    await member.thread.commit(change);
    return !member.thread.ended;
  }

  #noteFailure(member: FleetMember): void {
    const nowMs = this.#options.clock.monotonicMs();
    const wasStable = member.listeningSinceMs > 0 && nowMs - member.listeningSinceMs >= STABLE_MS;
    this.#failures = wasStable ? 1 : this.#failures + 1;
  }

  #after(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.schedule(delayMs, resolve));
  }
}
