import { isIP } from 'node:net';
import type { KeepAliveSettings, UpstreamIdentity, UpstreamTarget, UpstreamTls } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { Random } from '../../lib/random.ts';
import type { EffectiveUpstream, UpstreamNode } from '../../schema/index.ts';
import { type Balancer, compileHashKey, type HashKey } from '../balancer/index.ts';
import { resolveNodes, sourceNamesOf } from '../discovery/index.ts';
import { EndpointHealth, type HealthBook, healthKey } from '../health/index.ts';
import type { DialPolicy } from '../names/index.ts';
import type { UpstreamIdentities } from '../tls/index.ts';
import type { AddressBook } from './address-book.ts';
import { balancerOf } from './balancer-of.ts';
import type { Endpoint } from './endpoint.ts';
import { latencyOf } from './latency-of.ts';
import { SecureTargets } from './secure-targets.ts';

/** Where connections to an address come from; the engine's pool has this shape. */
export interface TargetSource {
  /** Holds the target of an address; each hold is ended by one `retire`. */
  target(address: string, port: number, keepAlive: KeepAliveSettings, tls?: UpstreamTls, http2?: boolean): UpstreamTarget;
  retire(target: UpstreamTarget): void;
}

/** Where requests in flight are counted; the worker's admission has this shape. */
export interface LoadSlots {
  serviceSlot(serviceId: string): number;
  /** `isCounted`: also where nodes have no limit. Negative where nothing is counted. */
  nodeSlot(address: string, port: number, isCounted?: boolean): number;
  /** Over all workers. */
  requestsInFlight(slot: number): number;
}

/** What upstreams of one worker have in common. */
export interface UpstreamSurroundings {
  readonly addresses: AddressBook;
  readonly targets: TargetSource;
  readonly slots: LoadSlots;
  readonly mayDial: DialPolicy;
  readonly identities: UpstreamIdentities;
  readonly random: Random;
  readonly monotonicMs: () => number;
  /** Undefined: no node is looked after. */
  readonly health: HealthBook | undefined;
}

/** The endpoints of one moment. A request keeps the one it began with, so that its attempts never mix two of them. */
export interface EndpointChoice {
  readonly balancer: Balancer<Endpoint>;
  /** Undefined: nobody looks after them. */
  readonly health: EndpointHealth | undefined;
  /** Why there is nothing to choose from; undefined when there is. */
  readonly emptyReason: ErrorReason | undefined;
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/**
 * An upstream as this worker uses it: nodes with their names resolved to endpoints, and how one is chosen. Addresses of one name
 * share its weight (APISIX: each becomes a node).
 */
export class RuntimeUpstream {
  readonly settings: EffectiveUpstream;
  /** Where the requests in flight of its service are counted. */
  readonly loadSlot: number;
  /** The value of Host with `pass_host: rewrite`. */
  readonly rewrittenHost: Buffer | undefined;
  /** By what requests are told apart; undefined: by nothing. */
  readonly hashKey: HashKey | undefined;
  /** Answers are timed. */
  readonly isMeasured: boolean;
  readonly #serviceId: string;
  readonly #healthName: string | undefined;
  readonly #surroundings: UpstreamSurroundings;
  readonly #watcher = (): void => this.#renew();
  #choice: EndpointChoice;
  #isAttached = false;

  /**
   * Holds no target and follows no name before `attach`. `healthName`: under which its nodes are looked after (`upstreamHealthKey`); undefined:
   * they are not.
   */
  constructor(serviceId: string, settings: EffectiveUpstream, surroundings: UpstreamSurroundings, healthName?: string) {
    const { balancing, checks } = settings;
    this.settings = settings;
    this.#serviceId = serviceId;
    this.hashKey = balancing.kind === 'chash' ? compileHashKey(balancing.hash) : undefined;
    this.isMeasured = balancing.kind === 'ewma';
    this.#healthName = checks === undefined ? undefined : healthName;
    this.loadSlot = surroundings.slots.serviceSlot(serviceId);
    this.rewrittenHost = settings.upstreamHost === undefined ? undefined : Buffer.from(settings.upstreamHost, 'latin1');
    this.#surroundings = surroundings;
    this.#choice = { balancer: balancerOf(balancing, [], surroundings), health: undefined, emptyReason: 'no_node' };
  }

  get choice(): EndpointChoice {
    return this.#choice;
  }

  /** As `attach`, before the configuration that it belongs to is in force; one that names certificates has to wait for that. */
  attachAhead(): void {
    const { tls } = this.settings;
    if (tls === undefined || (tls.pairOf === undefined && tls.authorityIds.length === 0)) this.attach();
  }

  /** Resolves the nodes and follows the addresses of their names from now on. Does nothing the second time. */
  attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    const { tls } = this.settings;
    for (const name of sourceNamesOf(this.settings)) this.#surroundings.addresses.watch(name, this.#watcher);
    if (tls !== undefined) this.#surroundings.identities.watch(tls, this.#watcher);
    this.#renew();
  }

  /** Ends what `attach` began, if it did. Requests under way still use the last endpoints; their connections close after them. */
  detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    const { tls } = this.settings;
    for (const name of sourceNamesOf(this.settings)) this.#surroundings.addresses.unwatch(name, this.#watcher);
    if (tls !== undefined) this.#surroundings.identities.unwatch(tls, this.#watcher);
    this.#retire(this.#choice);
  }

  #renew(): void {
    const old = this.#choice;
    // The new ones are taken before the old ones go, so that addresses in both keep their idle connections.
    this.#choice = this.#choose();
    this.#retire(old);
  }

  #choose(): EndpointChoice {
    const { tls, balancing } = this.settings;
    const identity = tls && this.#surroundings.identities.identityOf(`service ${this.#serviceId}`, tls);
    if (tls === undefined || identity !== undefined) return chooseFrom(this.settings, this.#surroundings, identity, this.#healthName);
    return { balancer: balancerOf(balancing, [], this.#surroundings), health: undefined, emptyReason: 'upstream_identity_unusable' };
  }

  #retire(choice: EndpointChoice): void {
    for (const { target, secure } of choice.balancer.nodes) {
      if (secure === undefined) this.#surroundings.targets.retire(target);
      else secure.retire();
    }
  }
}

function chooseFrom(
  settings: EffectiveUpstream,
  surroundings: UpstreamSurroundings,
  identity: UpstreamIdentity | undefined,
  healthName: string | undefined,
): EndpointChoice {
  const { balancing, isGrpc } = settings;
  const keepAlive = keepAliveOf(settings);
  const endpoints: Endpoint[] = [];
  const { nodes, isComplete } = resolveNodes(settings, surroundings.addresses);
  let denied = false;
  for (const node of nodes) {
    const { port } = node;
    const address = canonicalAddress(node.address) ?? node.address;
    if (!surroundings.mayDial(address, port)) {
      denied = true;
      continue;
    }
    const { targets } = surroundings;
    const hostText = nodeHostValue(node, identity === undefined ? HTTP_PORT : HTTPS_PORT);
    const secure = identity && new SecureTargets({ address, port, keepAlive, identity, http2: isGrpc }, targets);
    const target = secure?.targetFor(hostText) ?? targets.target(address, port, keepAlive, undefined, isGrpc);
    const name = nodeText(address, port);
    endpoints.push({
      name,
      weight: node.weight,
      priority: node.priority,
      target,
      secure,
      loadSlot: surroundings.slots.nodeSlot(address, port, balancing.kind === 'least_conn'),
      latency: balancing.kind === 'ewma' ? latencyOf(target) : undefined,
      hostValue: Buffer.from(hostText, 'latin1'),
      logText: Buffer.from(`,"node":"${name}"`, 'latin1'),
    });
  }
  return {
    balancer: balancerOf(balancing, endpoints, surroundings),
    health: healthOf(settings, endpoints, surroundings, healthName),
    emptyReason: endpoints.length > 0 ? undefined : emptyReason(!isComplete, denied),
  };
}

function healthOf(
  { checks }: EffectiveUpstream,
  endpoints: readonly Endpoint[],
  { health }: UpstreamSurroundings,
  healthName: string | undefined,
): EndpointHealth | undefined {
  if (healthName === undefined || health === undefined) return undefined;
  const keys = endpoints.map(({ target }) => healthKey(healthName, target.address, target.port));
  const weights = endpoints.map(({ weight }) => weight);
  return new EndpointHealth(health, keys, weights, checks?.passive);
}

function keepAliveOf({ keepalivePoolSize, keepaliveIdleTimeoutMs, keepaliveRequests }: EffectiveUpstream): KeepAliveSettings {
  // In APISIX 0 means that no timer is set; the pool has a longest time of its own.
  const idleTimeoutMs = keepaliveIdleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : keepaliveIdleTimeoutMs;
  return { size: keepalivePoolSize, idleTimeoutMs, requests: keepaliveRequests };
}

function emptyReason(unresolved: boolean, denied: boolean): ErrorReason {
  if (denied) return 'dial_denied';
  return unresolved ? 'dns' : 'no_node';
}

function nodeText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function nodeHostValue(node: UpstreamNode, usualPort: number): string {
  const host = isIP(node.host) === 6 ? `[${node.host}]` : node.host;
  return node.port === usualPort ? host : `${host}:${node.port}`;
}
