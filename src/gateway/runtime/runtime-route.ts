import type { HopTimeouts } from '../../schema/index.ts';
import type { PluginChain } from './plugin-chain.ts';
import type { RuntimeUpstream } from './runtime-upstream.ts';

/** What a route is made of once it is compiled. */
export interface RuntimeRouteParts {
  readonly id: string;
  /** The route's name on the worker board. */
  readonly number: number;
  readonly serviceId: string;
  readonly chain: PluginChain;
  readonly upstream: RuntimeUpstream | undefined;
  readonly timeouts: HopTimeouts;
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
  readonly serviceId: string;
  readonly chain: PluginChain;
  readonly upstream: RuntimeUpstream | undefined;
  readonly timeouts: HopTimeouts;
  readonly allowsUpgrade: boolean;
  readonly strippedPrefix: string;
  #requests = 0;
  #retired = false;

  constructor(parts: RuntimeRouteParts) {
    this.id = parts.id;
    this.number = parts.number;
    this.serviceId = parts.serviceId;
    this.chain = parts.chain;
    this.upstream = parts.upstream;
    this.timeouts = parts.timeouts;
    this.allowsUpgrade = parts.allowsUpgrade;
    this.strippedPrefix = parts.strippedPrefix;
  }

  /** A request begins to use the route. */
  enter(): void {
    this.#requests++;
  }

  /** A request that entered has ended. */
  leave(): void {
    this.#requests--;
    if (this.#retired && this.#requests === 0) this.chain.dispose();
  }

  /** No request begins any more; the plugins' state goes with the last one. Called once. */
  retire(): void {
    this.#retired = true;
    if (this.#requests === 0) this.chain.dispose();
  }
}
