import type { UpstreamIdentity } from '../../engine/index.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { RandomNumbers } from '../../lib/random-numbers.ts';
import type { Logger } from '../../observability/index.ts';
import type { CheckRules, EffectiveUpstream, UpstreamTlsSettings } from '../../schema/index.ts';
import { type NodeSource, type ResolvedNode, resolveNodes, sourceNamesOf } from '../discovery/index.ts';
import type { DialPolicy } from '../names/index.ts';
import { boundedChecks, type CheckedNode, type CheckedUpstream, newNode, probedHost, sameChecks } from './checked-upstream.ts';
import type { HealthBoard, HealthSlot } from './health-board.ts';
import { type HealthEntry, healthKey } from './health-book.ts';
import type { HealthReport } from './node-health.ts';
import { type Probe, type ProbeTarget, startProbe } from './probe.ts';
import { SlotKeeper } from './slot-keeper.ts';

/** What a monitor is made with. */
export interface HealthMonitorOptions {
  readonly board: HealthBoard;
  readonly nodes: NodeSource;
  readonly mayDial: DialPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** What nodes are taken for, or which nodes there are, has changed. */
  readonly onChange?: () => void;
  /** How checks over TLS are made of upstreams that are spoken to over it; as nobody and by the usual authorities when absent. */
  readonly identityOf?: (owner: string, settings: UpstreamTlsSettings) => UpstreamIdentity | undefined;
  /** How a node is asked; by a request of its own when absent. */
  readonly probe?: typeof startProbe;
  /** Tells every worker which nodes are looked after from now on, and which no longer. */
  readonly tell: (put: readonly HealthEntry[], removed: readonly string[]) => void;
}

/** An upstream with its names, as the monitor takes it. */
export interface MonitoredUpstream {
  readonly serviceId: string;
  readonly upstreamId: string | undefined;
  /** Undefined: it is gone. */
  readonly settings: EffectiveUpstream | undefined;
}

const TICK_MS = 50;
/** Checks under way at once, of all upstreams together: each takes a descriptor. */
const MOST_PROBES = 256;
/** Checks begun in one step: some hundred microseconds each. */
const MOST_STARTS = 24;
const WHOLE = 2 ** 32;

/**
 * Looks after the nodes of upstreams with `checks`: asks them, hears what workers have seen of them, and writes on the board what each is
 * taken for. Checks of many nodes are spread by chance over their interval, first ones too, and only so many run at once; what is late
 * waits. A node keeps what is known of it as long as its upstream is checked in the same way.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #chance: RandomNumbers;
  readonly #slots = new SlotKeeper();
  readonly #upstreams = new Map<string, CheckedUpstream>();
  readonly #bySlot = new Map<number, { readonly upstream: CheckedUpstream; readonly node: CheckedNode }>();
  readonly #probes = new Set<Probe>();
  #cancelTick: CancelTask | undefined;
  #isFull = false;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    this.#chance = new RandomNumbers(options.random);
  }

  /** Those that are looked after. */
  get upstreams(): Iterable<CheckedUpstream> {
    return this.#upstreams.values();
  }

  /** What a new worker has to be told. */
  entries(): readonly HealthEntry[] {
    return [...this.#bySlot.values()].map(({ node }) => ({ key: node.key, ...node.slot }));
  }

  /** These upstreams are as they are now. To be called before workers use them. */
  update(changed: Iterable<MonitoredUpstream>): void {
    const put: HealthEntry[] = [];
    const removed: string[] = [];
    for (const { serviceId, upstreamId, settings } of changed) {
      const key = upstreamHealthKey(serviceId, upstreamId);
      const old = this.#upstreams.get(key);
      const checks = settings?.checks;
      if (settings === undefined || checks === undefined) {
        if (old !== undefined) this.#remove(key, old, removed);
        continue;
      }
      const keeps = old !== undefined && sameChecks(old.settings, settings);
      if (old !== undefined && !keeps) this.#remove(key, old, removed);
      const { nodes, load } = keeps ? old : { nodes: new Map<string, CheckedNode>(), load: { asked: 0 } };
      const upstream = { serviceId, upstreamId, settings, checks: boundedChecks(checks), nodes, load };
      this.#upstreams.set(key, upstream);
      this.#renewNodes(key, upstream, put, removed);
    }
    this.#changed(put, removed);
  }

  /** The addresses of this name, or the nodes of this service (`discoveryKey`), are others now. To be called before workers use them. */
  nameChanged(name: string): void {
    const put: HealthEntry[] = [];
    const removed: string[] = [];
    for (const [key, upstream] of this.#upstreams) {
      if (sourceNamesOf(upstream.settings).includes(name)) this.#renewNodes(key, upstream, put, removed);
    }
    this.#changed(put, removed);
  }

  /** The worker of this row has seen something. */
  drain(row: number): void {
    this.#options.board.drain(row, (slot, report) => {
      const found = this.#at(slot);
      const passive = found?.upstream.checks.passive;
      if (found !== undefined && passive !== undefined) this.#report(found.upstream, found.node, report, passive);
    });
  }

  /** The worker of this row has ended. */
  clearRow(row: number): void {
    this.drain(row);
    this.#options.board.clearRow(row);
  }

  /** Ends all checks; what nodes are taken for stays. */
  close(): void {
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#upstreams.clear();
    this.#bySlot.clear();
    for (const probe of this.#probes) probe.end();
  }

  #at({ slot, tag }: HealthSlot) {
    const found = this.#bySlot.get(slot);
    return found?.node.slot.tag === tag ? found : undefined;
  }

  #remove(key: string, upstream: CheckedUpstream, removed: string[]): void {
    this.#upstreams.delete(key);
    for (const node of upstream.nodes.values()) this.#removeNode(node, removed);
    upstream.nodes.clear();
  }

  #removeNode(node: CheckedNode, removed: string[]): void {
    removed.push(node.key);
    this.#bySlot.delete(node.slot.slot);
    this.#options.board.set(node.slot.slot, 'healthy');
    this.#slots.giveBack(node.slot);
  }

  #renewNodes(key: string, upstream: CheckedUpstream, put: HealthEntry[], removed: string[]): void {
    const { nodes, settings } = upstream;
    const gone = new Map(nodes);
    for (const node of resolveNodes(settings, this.#options.nodes).nodes) {
      const nodeKey = healthKey(key, node.address, node.port);
      const known = nodes.get(nodeKey);
      gone.delete(nodeKey);
      const kept = known ?? this.#newNode(nodeKey, node, upstream);
      if (kept === undefined) continue;
      if (known === undefined) put.push({ key: nodeKey, ...kept.slot });
      nodes.set(nodeKey, kept);
      this.#bySlot.set(kept.slot.slot, { upstream, node: kept });
    }
    for (const node of gone.values()) {
      nodes.delete(node.key);
      this.#removeNode(node, removed);
    }
  }

  #newNode(key: string, node: ResolvedNode, upstream: CheckedUpstream): CheckedNode | undefined {
    const slot = this.#slots.take();
    if (slot === undefined) {
      if (!this.#isFull) this.#options.log.error('more nodes have health checks than can be looked after; the others count as healthy');
      this.#isFull = true;
      return undefined;
    }
    this.#isFull = false;
    this.#options.board.set(slot.slot, 'healthy');
    const firstAtMs = this.#options.clock.monotonicMs() + this.#part() * upstream.checks.active.healthyIntervalMs;
    return newNode(key, node, slot, firstAtMs);
  }

  #changed(put: readonly HealthEntry[], removed: readonly string[]): void {
    // One that was taken away and has come back in another place is in both.
    if (put.length > 0 || removed.length > 0) {
      this.#options.tell(put, removed);
      this.#options.onChange?.();
    }
    if (this.#bySlot.size > 0) this.#cancelTick ??= this.#options.clock.schedule(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#cancelTick = undefined;
    if (this.#bySlot.size === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    let starts = 0;
    for (const [slot, { upstream, node }] of this.#bySlot) {
      if (starts >= MOST_STARTS || this.#probes.size >= MOST_PROBES) break;
      if (node.isAsked || node.nextAtMs > nowMs || upstream.load.asked >= upstream.checks.active.concurrency) continue;
      starts++;
      this.#ask(upstream, node);
      // Who has had a turn goes to the end, so that all get one when there are too many.
      this.#bySlot.delete(slot);
      this.#bySlot.set(slot, { upstream, node });
    }
    this.#cancelTick = this.#options.clock.schedule(TICK_MS, () => this.#tick());
  }

  #ask(upstream: CheckedUpstream, node: CheckedNode): void {
    const { clock, mayDial } = this.#options;
    const { active } = upstream.checks;
    const port = active.port ?? node.port;
    this.#plan(upstream, node);
    // Requests do not go there either.
    if (!mayDial(node.address, port)) return;
    const target = this.#targetOf(upstream, node, port);
    if (target === undefined) return;
    node.isAsked = true;
    upstream.load.asked++;
    const probe = (this.#options.probe ?? startProbe)(active, target, clock);
    this.#probes.add(probe);
    void probe.outcome.then((report) => {
      this.#probes.delete(probe);
      node.isAsked = false;
      upstream.load.asked--;
      // The upstream may have been replaced by another of the same nodes meanwhile.
      const current = this.#bySlot.get(node.slot.slot);
      if (current?.node !== node) return;
      if (report !== undefined) this.#report(current.upstream, node, report, current.upstream.checks.active);
      this.#plan(current.upstream, node);
    });
  }

  /** Undefined where a certificate is missing that the upstream names: requests do not go there either. */
  #targetOf(upstream: CheckedUpstream, node: CheckedNode, port: number): ProbeTarget | undefined {
    const target = { address: node.address, port, host: probedHost(upstream, node) };
    const { checks, settings, serviceId } = upstream;
    const { identityOf } = this.#options;
    if (checks.active.kind !== 'https' || settings.tls === undefined || identityOf === undefined) return target;
    // Whether the node's certificate is verified is the check's own setting (APISIX).
    const identity = identityOf(`service ${serviceId}`, { ...settings.tls, verifies: checks.active.verifyCertificate });
    return identity && { ...target, secureContext: identity.secureContext };
  }

  /** When the node is asked next: its interval from now, a tenth earlier or later by chance. */
  #plan({ checks: { active } }: CheckedUpstream, node: CheckedNode): void {
    const intervalMs = node.health.isDown ? active.unhealthyIntervalMs : active.healthyIntervalMs;
    node.nextAtMs = this.#options.clock.monotonicMs() + intervalMs * (0.9 + 0.2 * this.#part());
  }

  #report(upstream: CheckedUpstream, node: CheckedNode, report: HealthReport, rules: CheckRules): void {
    const { isDown: wasDown, state } = node.health;
    node.health.report(report, rules);
    if (node.health.state !== state) this.#options.onChange?.();
    this.#options.board.set(node.slot.slot, node.health.state);
    if (node.health.isDown === wasDown) return;
    const { log } = this.#options;
    const fields = {
      service: upstream.serviceId,
      upstream: upstream.upstreamId,
      node: `${node.hostName}:${node.port}`,
      address: node.address,
      cause: report,
    };
    if (wasDown) log.info('a node is healthy again', fields);
    else log.warn('a node is unhealthy: requests go to others as long as there are any', fields);
    // What was planned by the other interval is of no use: it may be an hour.
    this.#plan(upstream, node);
  }

  /** From 0 to below 1. */
  #part(): number {
    return this.#chance.below(WHOLE) / WHOLE;
  }
}

/** One text for an upstream of this instance. */
export function upstreamHealthKey(serviceId: string, upstreamId: string | undefined): string {
  return upstreamId === undefined ? serviceId : `${serviceId}/${upstreamId}`;
}
