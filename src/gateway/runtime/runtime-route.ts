import type { HopTimeouts } from '../../schema/index.ts';
import type { HeldChain } from './held-chain.ts';
import type { PluginChain } from './plugin-chain.ts';
import type { PluginUpstream } from './plugin-upstream.ts';
import type { RouteConditions } from './route-conditions.ts';
import type { RuntimeUpstream } from './runtime-upstream.ts';

/** What a route is made of once it is compiled. */
export interface RuntimeRouteParts {
  readonly id: string;
  /** The route's name on the worker board. */
  readonly number: number;
  readonly name: string;
  readonly serviceId: string;
  readonly serviceName: string;
  /** What decides besides host, path and method; undefined: nothing does. */
  readonly conditions: RouteConditions | undefined;
  readonly plugins: HeldChain;
  readonly upstream: RuntimeUpstream | undefined;
  /** Further upstreams of the service, by id. */
  readonly otherUpstreams: ReadonlyMap<string, PluginUpstream>;
  readonly timeouts: HopTimeouts;
  /** What the route itself says, over every upstream; undefined where it says nothing. */
  readonly ownTimeouts: HopTimeouts | undefined;
  /** Clients may change to another protocol, WebSocket above all. */
  readonly allowsUpgrade: boolean;
  /** The service's prefix that the upstream does not get to see; `''` for none. */
  readonly strippedPrefix: string;
}

/**
 * A route ready to serve. It never changes: a change makes a new one, and the old one lives until its last request has ended,
 * because plugins may hold what those requests still need.
 */
export class RuntimeRoute {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly serviceId: string;
  readonly serviceName: string;
  readonly conditions: RouteConditions | undefined;
  readonly chain: PluginChain;
  readonly upstream: RuntimeUpstream | undefined;
  readonly otherUpstreams: ReadonlyMap<string, PluginUpstream>;
  readonly timeouts: HopTimeouts;
  readonly ownTimeouts: HopTimeouts | undefined;
  readonly allowsUpgrade: boolean;
  readonly strippedPrefix: string;
  readonly #plugins: HeldChain;

  constructor(parts: RuntimeRouteParts) {
    this.id = parts.id;
    this.number = parts.number;
    this.name = parts.name;
    this.serviceId = parts.serviceId;
    this.serviceName = parts.serviceName;
    this.conditions = parts.conditions;
    this.chain = parts.plugins.chain;
    this.upstream = parts.upstream;
    this.otherUpstreams = parts.otherUpstreams;
    this.timeouts = parts.timeouts;
    this.ownTimeouts = parts.ownTimeouts;
    this.allowsUpgrade = parts.allowsUpgrade;
    this.strippedPrefix = parts.strippedPrefix;
    this.#plugins = parts.plugins;
  }

  /** A request begins to use the route. */
  enter(): void {
    this.#plugins.enter();
  }

  /** A request that entered has ended. */
  leave(): void {
    this.#plugins.leave();
  }

  /** No request begins any more; the plugins' state goes with the last one. Called once. */
  retire(): void {
    this.#plugins.retire();
  }
}
