import type { CancelTask } from '../lib/clock.ts';
import { LeapWaryClock } from '../lib/leap-wary-clock.ts';
import { AdmittedPeers } from './admitted-peers.ts';
import { ConnectedInstance, type InstanceStatus } from './connected-instance.ts';
import { ProtocolError } from './frame-codec.ts';
import { FrameConnection } from './frame-connection.ts';
import { type AppliedRevision, GroupChannel } from './group-channel.ts';
import { InstanceMeasure } from './instance-measure.ts';
import type { InstanceName } from './instance-name.ts';
import { parseGatewayMessage } from './parse-message.ts';
import {
  type AppliedMessage,
  type GatewayMessage,
  HEARTBEAT_INTERVAL_MS,
  type HelloMessage,
  PROTOCOL_VERSION,
  type StateCheckedMessage,
} from './protocol.ts';
import type { PublisherOptions } from './publisher-options.ts';
import { SharedInstances } from './shared-instances.ts';
import { SignedMessages } from './signed-messages.ts';
import { Signer } from './signing.ts';
import { SnapshotPlugins } from './snapshot-plugins.ts';
import { StoredState } from './state-hash/stored-state.ts';
import { StoreContinuity } from './store-continuity.ts';
import { type SyncPeer, type SyncServers, startSyncServers } from './sync-server.ts';
import { UsageAcknowledgements } from './usage-acknowledgements.ts';
import type { UsageReport } from './usage-report.ts';
import { reasonVersionsDoNotFit } from './version-fit.ts';

/** Another process may have written to the store; its revisions are looked at this often. */
const POLL_INTERVAL_MS = 2_000;
/**
 * Not having reached the store for this long is told to gateways, so that they are elsewhere when others that share it take this control plane for dead
 * and no longer wait for what is connected to it (`CONTROL_PLANE_LEASE_MS`).
 */
const STORE_AWAY_AFTER_MS = 3_000;
/** A connection that does not say hello within this time is closed. */
const HELLO_TIMEOUT_MS = 10_000;
/** Connections of one instance that have not been welcomed. */
const MOST_NEWCOMERS_OF_INSTANCE = 4;
/** Gateways have little to say; more is a broken or hostile peer. */
const MAX_GATEWAY_FRAME_BYTES = 64 * 1024;
const MAX_LOGGED_REASON = 500;

/**
 * The control plane's end of distribution: takes in gateway instances over mutual TLS, brings each to the newest revision of its
 * group by a snapshot or deltas, and knows which of them has what in force.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #signer: Signer;
  readonly #plugins: SnapshotPlugins;
  readonly #channels = new Map<string, GroupChannel>();
  readonly #continuity: StoreContinuity;
  /** The loss is being seen to, or has been. */
  #isMending = false;
  /** Whether a revision that was just written is lower than one before is being found out. */
  #doubt: Promise<void> | undefined;
  /** Connections that have not been welcomed, and of which instance each is, the oldest first. */
  readonly #newcomers = new Map<FrameConnection, string>();
  /** By which certificates of gateways end; each look at the store reads it. */
  readonly #certificateClock: LeapWaryClock;
  readonly #peers: AdmittedPeers;
  #servers: SyncServers | undefined;
  #cancelPoll: CancelTask = () => undefined;
  readonly #shared: SharedInstances | undefined;
  readonly #measure: InstanceMeasure;
  readonly #acknowledgements = new UsageAcknowledgements();
  #connections = 0;
  #storeReadAtMs = 0;
  #isClosed = false;

  /** @throws Error when the signing key is of no use */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#certificateClock = new LeapWaryClock(options.clock);
    this.#measure = new InstanceMeasure(options.clock);
    options.usage?.onWritten((upTo) => this.#acknowledgements.written(upTo));
    this.#peers = new AdmittedPeers(options.admission, { clock: options.clock, certificateClock: this.#certificateClock });
    this.#signer = new Signer(options.signingKey);
    this.#plugins = new SnapshotPlugins(options.plugins, options.keySalt);
    this.#continuity = new StoreContinuity(options.store, () => {
      for (const channel of this.#channels.values()) channel.endWaits();
      this.#mend();
    });
    const { registry, history, clock, log, onStoreReplaced = () => undefined } = options;
    this.#shared = registry && new SharedInstances({ registry, history, clock, log, onStoreReplaced });
  }

  /** Opens all listeners. @throws StartError in one sentence */
  async start(): Promise<{ readonly ports: readonly number[] }> {
    const { listeners, tls, enrollment, clock, log } = this.#options;
    // Before anything is published.
    await this.#continuity.check();
    this.#storeReadAtMs = clock.monotonicMs();
    this.#servers = await startSyncServers({
      ...{ listeners, tls, enrollment, clock, certificateClock: this.#certificateClock, log },
      onPeer: (peer) => this.#welcomePeer(peer),
    });
    this.#shared?.start();
    this.#schedulePoll();
    return { ports: this.#servers.ports };
  }

  /** To be called after each commit that wrote resources of the group. */
  groupChanged(groupId: string, revision: number): void {
    const channel = this.#channel(groupId);
    const isBehind = revision < channel.newestRevision;
    channel.noteRevision(revision);
    // Writes that are done at once may be told of in any order.
    if (isBehind) this.#doubt = this.#look([channel]);
  }

  /** To be called when another process may have raised the revision of a group, or of any: asks the store now, and not at the next poll. */
  checkRevision(groupId: string | undefined): void {
    const known = groupId === undefined ? this.#channels.values() : [this.#channels.get(groupId)];
    void this.#look([...known].filter((channel) => channel !== undefined));
  }

  /**
   * Waits until every instance that was current, and is connected to any control plane of the store, has answered the revision, for at most `timeoutMs`.
   *
   * An instance that misses the wait is lagging and not waited for again until it has caught up. One that refuses the revision
   * counts as not applied, at once. After a loss none has it: the number may be one that instances have got for what was lost.
   */
  async waitApplied(groupId: string, revision: number, timeoutMs: number): Promise<AppliedRevision> {
    await this.#doubt;
    const told = this.#continuity.isBroken ? undefined : await this.#waitApplied(groupId, revision, timeoutMs);
    return told === undefined || this.#continuity.isBroken ? this.#waitApplied(groupId, Number.POSITIVE_INFINITY, 0) : told;
  }

  async #waitApplied(groupId: string, revision: number, timeoutMs: number): Promise<AppliedRevision> {
    const here = this.#channel(groupId).waitApplied(revision, timeoutMs);
    if (this.#shared === undefined) return here;
    const before = new Set(this.instances(groupId).map(({ instanceId }) => instanceId));
    const [own, asked] = await Promise.all([here, this.#shared.waitApplied(groupId, revision, timeoutMs)]);
    // Who has gone from here meanwhile may be at another one, as it was not when that was asked.
    for (const { instanceId } of this.instances(groupId)) before.delete(instanceId);
    const others = before.size === 0 ? asked : await this.#shared.waitApplied(groupId, revision, 0);
    const { applied, expected, lagging } = others;
    return { ...others, applied: own.applied + applied, expected: own.expected + expected, lagging: [...own.lagging, ...lagging] };
  }

  /** The connected instances of a group. */
  instances(groupId: string): readonly InstanceStatus[] {
    return this.#channels.get(groupId)?.instances() ?? [];
  }

  /** To be called when instances were revoked or authorities have changed: asks about all that are connected now, and not at the next poll. Never rejects. */
  async reviewPeers(): Promise<void> {
    try {
      const tls = await this.#peers.review();
      if (tls !== undefined) this.#servers?.useTls(tls);
    } catch (error) {
      this.#options.log.error('whether all instances may stay connected could not be found out', {}, error);
    }
  }

  /** Ends all waits and connections and closes the listeners. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll();
    for (const connection of this.#newcomers.keys()) connection.close('the control plane is stopping');
    for (const channel of this.#channels.values()) channel.close();
    await this.#servers?.close();
    await this.#shared?.close();
  }

  #channel(groupId: string): GroupChannel {
    let channel = this.#channels.get(groupId);
    if (channel === undefined) {
      const { store, compareIntervalMs, events, clock, random, log, history } = this.#options;
      const continuity = this.#continuity;
      const source = { store, signer: this.#signer, plugins: this.#plugins, history: history.id, continuity };
      const messages = new SignedMessages(groupId, source);
      const state = new StoredState({ groupId, store, plugins: this.#plugins, clock });
      channel = new GroupChannel({ groupId, messages, store, state, compareIntervalMs, continuity, events, clock, random, log });
      this.#channels.set(groupId, channel);
    }
    return channel;
  }

  #schedulePoll(): void {
    this.#cancelPoll = this.#options.clock.schedule(POLL_INTERVAL_MS, () => {
      void Promise.all([this.reviewPeers(), this.#look([...this.#channels.values()])]).then(() => {
        if (!this.#isClosed) this.#schedulePoll();
      });
    });
  }

  /** Asks the store for what others have written, and whether it has lost something. Never rejects. */
  async #look(channels: readonly GroupChannel[]): Promise<void> {
    const polls = channels.map((channel) => channel.poll());
    try {
      await this.#continuity.check();
      this.#storeReadAtMs = this.#options.clock.monotonicMs();
    } catch (error) {
      this.#options.log.error('whether the database still holds what it held could not be read', {}, error);
    }
    await Promise.all(polls);
    // Again, where it has failed.
    if (this.#continuity.isBroken) this.#mend();
  }

  #mend(): void {
    const { log, onLostRevisions } = this.#options;
    if (this.#isMending || this.#isClosed || onLostRevisions === undefined) return;
    this.#isMending = true;
    onLostRevisions(new Map([...this.#channels].map(([groupId, channel]) => [groupId, channel.newestRevision]))).catch((error: unknown) => {
      this.#isMending = false;
      log.error('what the database has lost could not be seen to', {}, error);
    });
  }

  #welcomePeer(peer: SyncPeer): void {
    const { clock, expiryClock, log } = this.#options;
    const { name } = peer.instance;
    let instance: ConnectedInstance | undefined;
    const takeIn = (admitted: ConnectedInstance): void => {
      instance = admitted;
    };
    const connection: FrameConnection = new FrameConnection({
      socket: peer.socket,
      head: peer.head,
      maxFrameBytes: MAX_GATEWAY_FRAME_BYTES,
      clock,
      toldClock: expiryClock,
      isStoreAway: () => clock.monotonicMs() - this.#storeReadAtMs > STORE_AWAY_AFTER_MS,
      onFrame: async (text) => {
        const message = parseGatewayMessage(text);
        if (message === undefined) return;
        if (instance !== undefined) this.#receive(instance, message);
        else if (message.kind === 'hello') await this.#admit(peer, connection, message, takeIn);
        else throw new ProtocolError('the first message was no hello');
      },
      onClosed: (reason) => {
        cancelTimeout();
        this.#newcomers.delete(connection);
        this.#peers.leave(connection);
        this.#acknowledgements.forget(connection);
        if (instance === undefined) return;
        this.#channel(name.groupId).leave(instance);
        this.#shared?.left(instance);
        log.info('a gateway instance is disconnected', { ...name, cause: reason });
      },
    });
    const cancelTimeout = clock.schedule(HELLO_TIMEOUT_MS, () => {
      if (instance === undefined) connection.close('the peer did not say hello in time');
    });
    this.#addNewcomer(connection, JSON.stringify([name.groupId, name.instanceId]));
    if (this.#isClosed) connection.close('the control plane is stopping');
    else connection.start();
  }

  /** A gateway has one connection, and now and then one that is about to be replaced. */
  #addNewcomer(connection: FrameConnection, instance: string): void {
    const own = [...this.#newcomers].filter(([, each]) => each === instance);
    if (own.length >= MOST_NEWCOMERS_OF_INSTANCE) own[0]?.[0].close('the instance has more connections than it says hello on');
    this.#newcomers.set(connection, instance);
  }

  /** Calls `onAdmitted` before anything else can happen to the connection: whoever is taken in is let go when that ends. */
  async #admit(
    peer: SyncPeer,
    connection: FrameConnection,
    hello: HelloMessage,
    onAdmitted: (instance: ConnectedInstance) => void,
  ): Promise<void> {
    const { name } = peer.instance;
    const misfit = reasonVersionsDoNotFit(hello, this.#options.softwareVersion);
    if (misfit !== undefined) return this.#reject(name, connection, misfit);
    const group = await this.#options.store.getGroup(name.groupId);
    if (group === undefined) return this.#reject(name, connection, 'the gateway group does not exist');
    await this.#peers.refresh();
    if (connection.isClosed) return;
    // Whoever is revoked later is found among those who were admitted.
    const refusal = this.#peers.admit(connection, peer.instance);
    if (refusal !== undefined) return this.#reject(name, connection, refusal);
    const channel = this.#channel(name.groupId);
    const newestRevision = Math.max(group.revision, channel.newestRevision);
    const isHistoryAccepted = this.#acceptsHistory(name, hello, newestRevision);
    const instance = this.#connectedInstance(peer, connection, hello, { newestRevision, isHistoryAccepted });
    // Whoever is welcome is counted: by then writes through the other control planes wait for it too.
    await this.#shared?.joined(instance);
    if (!this.#peers.has(connection)) {
      this.#shared?.left(instance);
      return;
    }
    onAdmitted(instance);
    connection.send({
      kind: 'welcome',
      protocol: Math.min(PROTOCOL_VERSION, hello.protocol),
      ...name,
      softwareVersion: this.#options.softwareVersion,
      revision: newestRevision,
      historyAccepted: isHistoryAccepted,
      keySalt: this.#options.keySalt.toString('base64'),
      signingKey: this.#signer.publicKey,
      heartbeatMs: HEARTBEAT_INTERVAL_MS,
      ...(this.#options.usage === undefined ? {} : { acknowledgesUsage: true }),
    });
    connection.expectHeartbeats(hello.heartbeatMs);
    const { authority } = this.#peers;
    if (authority !== undefined) connection.send({ kind: 'authorities', authority });
    this.#newcomers.delete(connection);
    channel.join(instance);
    channel.noteRevision(newestRevision);
    // What was written while the others were told, when nobody was here who would have been told of it.
    if (this.#shared !== undefined) void channel.poll();
    const { softwareVersion, revision } = hello;
    this.#options.log.info('a gateway instance is connected', { ...name, softwareVersion, revision });
  }

  #connectedInstance(
    { instance: { name } }: SyncPeer,
    connection: FrameConnection,
    { softwareVersion, revision: heldRevision, followedRevision, hostname, address, cores, workers }: HelloMessage,
    known: { readonly newestRevision: number; readonly isHistoryAccepted: boolean },
  ): ConnectedInstance {
    this.#connections += 1;
    const facts = { softwareVersion, hostname, address, cores, workers, connectedAtMs: this.#options.clock.nowMs() };
    return new ConnectedInstance({ name, connection, connectionId: this.#connections, facts, heldRevision, followedRevision, ...known });
  }

  /** Deltas fit what the instance holds. A number alone does not say so: a store that was set back uses numbers a second time. */
  #acceptsHistory(name: InstanceName, { revision, history }: HelloMessage, newestRevision: number): boolean {
    if (revision === 0) return false;
    const isKnown = history !== undefined && this.#options.history.accepts(name.groupId, revision, history);
    if (isKnown && revision <= newestRevision) return true;
    this.#options.log.warn('a gateway instance holds a revision of another history and gets a snapshot', {
      ...name,
      revision,
      newestRevision,
    });
    return false;
  }

  #reject(name: InstanceName, connection: FrameConnection, reason: string): void {
    this.#options.log.warn('a gateway instance was turned away', { ...name, cause: reason });
    connection.closeAfter({ kind: 'reject', reason }, reason);
  }

  #receive(instance: ConnectedInstance, message: GatewayMessage): void {
    const channel = this.#channel(instance.name.groupId);
    switch (message.kind) {
      case 'applied':
        if (!instance.takeAnswerDue()) this.#measure.takeNeedlessAnswer(instance.name);
        if (message.outcome === 'refused') this.#logRefusal(instance, message);
        if (!channel.noteAnswer(instance, message)) throw new ProtocolError('the peer answered what was never sent');
        this.#shared?.changed(instance);
        return;
      case 'snapshot-request':
        channel.noteSnapshotRequest(instance);
        return;
      case 'state-checked':
        if (!channel.noteChecked(instance, message)) return;
        if (message.outcome === 'different') this.#logDifference(instance, message);
        this.#shared?.changed(instance);
        return;
      case 'health':
        this.#measure.takeReport(instance.name);
        instance.noteHealth(message, this.#options.clock.nowMs());
        return;
      case 'usage':
        this.#measure.takeReport(instance.name);
        this.#takeUsage(instance, message);
        return;
      case 'heartbeat':
        return;
      case 'hello':
        throw new ProtocolError('the peer said hello twice');
    }
  }

  #takeUsage({ name, connection }: ConnectedInstance, report: UsageReport): void {
    const number = this.#options.usage?.take(name, report);
    if (number !== undefined) this.#acknowledgements.note(connection, number, report);
  }

  #logDifference(instance: ConnectedInstance, { revision, reason }: StateCheckedMessage): void {
    const cause = (reason ?? '').slice(0, MAX_LOGGED_REASON);
    this.#options.log.error('a gateway instance holds something else than it should, and gets a snapshot', {
      ...instance.name,
      revision,
      cause,
    });
  }

  /** What goes beyond the limit is counted all the same, and the instance's last refusal can be asked for. */
  #logRefusal(instance: ConnectedInstance, { revision, reason }: AppliedMessage): void {
    if (!this.#measure.mayLogRefusal(instance.name)) return;
    const cause = (reason ?? '').slice(0, MAX_LOGGED_REASON);
    this.#options.log.warn('a gateway instance refused a revision', { ...instance.name, revision, cause });
  }
}
