import type { JsonObject } from '../../lib/json.ts';
import type { RoutableRequest, TakePlace } from '../router/index.ts';
import type { ClientPolicy, TlsItems } from '../tls/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { type RuntimeService, type UpstreamSettings, upstreamsOf } from './compile-service.ts';
import { ConsumerPluginCache, type ConsumerPlugins } from './consumer-plugins.ts';
import type { DisposeFailed, MemberSurroundings } from './create-member.ts';
import { HeldChain } from './held-chain.ts';
import { IdentityHeaders } from './identity-headers.ts';
import type { PluginCatalogue } from './plugin-chain.ts';
import type { PluginServices } from './plugin-services.ts';
import { disposePrepared, MAX_ROUTES_IN_PLACE, type PreparedChange, prepareChange } from './prepare-change.ts';
import { RouteTable } from './route-table.ts';
import type { RuntimeRoute } from './runtime-route.ts';
import type { UpstreamSurroundings } from './runtime-upstream.ts';
import type { PluginSettings } from './settings.ts';
import { Slices } from './slices.ts';
import { StreamRoutes } from './stream-routes.ts';

/** What a runtime needs from its worker. */
export interface RuntimeOptions extends UpstreamSurroundings {
  readonly catalogue: PluginCatalogue;
  readonly tls: TlsItems;
  readonly services: PluginServices;
  readonly onDisposeFailed: DisposeFailed;
  /** Gives other work of the thread its turn; called between slices of a long preparation. */
  readonly yieldTurn: () => Promise<void>;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
}

/**
 * The configuration that this worker serves. A change is compiled aside by `prepare`, in slices, while requests go on with what is
 * in force; `commit` swaps it in within one synchronous step, so that every request sees all of it or nothing.
 */
export class Runtime {
  readonly services = new Map<string, RuntimeService>();
  /** Further upstreams of services, of services that do not exist too. */
  readonly upstreams = new Map<string, UpstreamSettings>();
  readonly globalRules = new Map<string, PluginSettings>();
  /** The metadata of plugins, with defaults. */
  readonly metadata = new Map<string, JsonObject>();
  readonly streamRoutes = new StreamRoutes();
  readonly identityHeaders = new IdentityHeaders();
  readonly options: RuntimeOptions;
  readonly #consumers: ConsumerPluginCache;
  readonly #consumerHeaders = new Map<string, readonly string[]>();
  #globals = new HeldChain([]);
  #routes = new RouteTable();
  /** Routes out of force whose plugins' state is yet to be let go, and upstreams that hold their nodes still. */
  readonly #retiring: Retired[] = [];
  #generation = 0;

  constructor(options: RuntimeOptions) {
    this.options = options;
    this.#consumers = new ConsumerPluginCache(this.membersWith(this.metadata));
  }

  /** What plugins are created with, under this metadata. */
  membersWith(metadata: ReadonlyMap<string, JsonObject>): MemberSurroundings {
    return { ...this.options, metadataOf: (plugin) => metadata.get(plugin) };
  }

  get routes(): RouteTable {
    return this.#routes;
  }

  /** The plugins of the global rules. */
  get globals(): HeldChain {
    return this.#globals;
  }

  /** A consumer's own plugins. @throws CompileError when this version cannot serve them */
  pluginsOfConsumer(username: string, text: string): ConsumerPlugins {
    return this.#consumers.find(username, text);
  }

  get tls(): TlsItems {
    return this.options.tls;
  }

  /** Which clients may send requests for a name (see `TlsHosts.policyFor`); undefined where that is anybody. */
  clientPolicyOf(host: string): ClientPolicy | undefined {
    return this.tls.hosts.policyFor(host);
  }

  /** Another number after every change that may alter what `visit` shows and `clientPolicyOf` says. */
  get generation(): number {
    return this.#generation;
  }

  /** Shows the places of routes that a request of this host, path and method may take, in order (see `Router.visit`). */
  visit(request: RoutableRequest, take: TakePlace<RuntimeRoute>): void {
    this.#routes.visit(request, take);
  }

  /**
   * Compiles a change without putting any of it in force. The result fits only as long as no other change is committed.
   *
   * @throws CompileError when any part cannot be served; nothing of the change is kept then
   */
  prepare(changes: readonly RuntimeChange[]): Promise<PreparedChange> {
    return prepareChange(this, changes);
  }

  /** Puts a prepared change in force. Synchronous, and it does not throw. */
  commit(prepared: PreparedChange): void {
    if (mayAlterMatches(prepared)) this.#generation++;
    if (prepared.tls !== undefined) this.tls.commit(prepared.tls);
    const replaced = [...prepared.services.keys()].flatMap((id) => this.services.get(id) ?? []);
    for (const [id, service] of prepared.services) this.#putService(id, service);
    this.#retire(replaced.flatMap(retiredUpstreams));
    for (const [id, upstreams] of prepared.upstreams) {
      if (upstreams.size === 0) this.upstreams.delete(id);
      else this.upstreams.set(id, upstreams);
    }
    if (prepared.routes === undefined) this.#routes.change(prepared);
    else this.#routes = prepared.routes;
    this.identityHeaders.add(prepared.asserting.added);
    this.identityHeaders.remove(prepared.asserting.removed);
    if (prepared.streamRoutes !== undefined) this.streamRoutes.commit(prepared.streamRoutes);
    this.#commitGroup(prepared);
    this.#retire(prepared.replaced);
  }

  /** Drops a prepared change that will not be committed. */
  abandon(prepared: PreparedChange): void {
    disposePrepared(this, prepared);
  }

  /** Serves nothing any more: the state of all plugins is disposed of, with the last request at the latest. */
  close(): void {
    for (const route of this.#retiring.splice(0)) route.retire();
    for (const route of this.#routes.allServed()) route.retire();
    this.#routes = new RouteTable();
    this.#generation++;
    this.streamRoutes.close();
    this.#globals.retire();
    this.#globals = new HeldChain([]);
    this.#consumers.clear();
  }

  /** The state of their plugins goes with the last request; that of very many in slices. */
  #retire(retired: readonly Retired[]): void {
    if (retired.length <= MAX_ROUTES_IN_PLACE) {
      for (const each of retired) each.retire();
      return;
    }
    const isUnderWay = this.#retiring.length > 0;
    for (const each of retired) this.#retiring.push(each);
    if (!isUnderWay) void this.#retireInSlices();
  }

  async #retireInSlices(): Promise<void> {
    const slices = new Slices(this.options);
    for (let route = this.#retiring.pop(); route !== undefined; route = this.#retiring.pop()) {
      route.retire();
      await slices.pause();
    }
  }

  /** What holds for the whole group. */
  #commitGroup({ globalRules, globals, metadata, consumerHeaders }: PreparedChange): void {
    for (const [consumer, headers] of consumerHeaders) this.#putConsumerHeaders(consumer, headers);
    if (globalRules !== undefined) replaceAll(this.globalRules, globalRules);
    if (metadata !== undefined) {
      replaceAll(this.metadata, metadata);
      this.#consumers.clear();
    }
    if (globals === undefined) return;
    this.identityHeaders.add(globals.chain.members);
    this.identityHeaders.remove(this.#globals.chain.members);
    this.#globals.retire();
    this.#globals = globals;
  }

  #putConsumerHeaders(consumer: string, headers: readonly string[] | undefined): void {
    const old = this.#consumerHeaders.get(consumer);
    if (headers === undefined) this.#consumerHeaders.delete(consumer);
    else this.#consumerHeaders.set(consumer, headers);
    this.identityHeaders.add([{ identityHeaders: headers ?? [] }]);
    this.identityHeaders.remove([{ identityHeaders: old ?? [] }]);
  }

  #putService(id: string, service: RuntimeService | undefined): void {
    if (service === undefined) this.services.delete(id);
    else this.services.set(id, service);
    // Before the old ones let go of them, so that addresses in both keep their idle connections.
    for (const upstream of upstreamsOf(service)) upstream.attach();
  }
}

/** What has gone out of force and holds something still. */
interface Retired {
  retire(): void;
}

function retiredUpstreams(service: RuntimeService): readonly Retired[] {
  return upstreamsOf(service).map((upstream) => ({ retire: () => upstream.detach() }));
}

/** Certificates change more often than anything else, and alter nothing about where requests lead. */
function mayAlterMatches({ tls, services, definitions, upstreams, globalRules, metadata, entries }: PreparedChange): boolean {
  if (tls === undefined || tls.changesPolicies || globalRules !== undefined || metadata !== undefined) return true;
  return services.size + definitions.size + upstreams.size + entries.size > 0;
}

function replaceAll<Value>(map: Map<string, Value>, values: ReadonlyMap<string, Value>): void {
  map.clear();
  for (const [key, value] of values) map.set(key, value);
}
