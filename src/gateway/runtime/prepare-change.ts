import type { JsonObject } from '../../lib/json.ts';
import type { TlsItem } from '../../schema/index.ts';
import { type PreparedTls, tlsItemKey } from '../tls/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { compileRoute, type RouteDefinition, type RoutingEntry } from './compile-route.ts';
import type { RuntimeService, UpstreamSettings } from './compile-service.ts';
import { compileGlobalRules } from './global-rules.ts';
import type { HeldChain } from './held-chain.ts';
import type { ChainMember } from './plugin-chain.ts';
import type { RouteTable } from './route-table.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeRoute } from './runtime-route.ts';
import { detachServices, ServicesChange } from './services-change.ts';
import type { PluginSettings } from './settings.ts';
import { Slices } from './slices.ts';
import type { PreparedStreamRoutes } from './stream-routes.ts';

/** A change compiled aside. `undefined` in a map: removed, or (among entries) not served. */
export interface PreparedChange {
  readonly services: ReadonlyMap<string, RuntimeService | undefined>;
  /** All further upstreams of those services that have other ones now. */
  readonly upstreams: ReadonlyMap<string, UpstreamSettings>;
  readonly definitions: ReadonlyMap<string, RouteDefinition | undefined>;
  readonly entries: ReadonlyMap<string, RoutingEntry | undefined>;
  /** A whole table of routes, where building it aside stalls the worker less than changing the one in force. */
  readonly routes: RouteTable | undefined;
  /** Routes that are served no more, or otherwise. */
  readonly replaced: readonly RuntimeRoute[];
  /** Plugins of the routes that come and of those that go whose configuration asserts an identity. */
  readonly asserting: { readonly added: readonly ChainMember[]; readonly removed: readonly ChainMember[] };
  /** Undefined: nothing changed for stream routes. */
  readonly streamRoutes: PreparedStreamRoutes | undefined;
  /** All global rules, where one of them changed. */
  readonly globalRules: ReadonlyMap<string, PluginSettings> | undefined;
  /** All metadata, where some changed. */
  readonly metadata: ReadonlyMap<string, JsonObject> | undefined;
  /** Headers by which the plugins of consumers assert an identity, by consumer; undefined: none any more. */
  readonly consumerHeaders: ReadonlyMap<string, readonly string[] | undefined>;
  /** Certificates and hosts of TLS, where some changed. */
  readonly tls: PreparedTls | undefined;
  /** The global rules' plugins, where rules or metadata changed. */
  readonly globals: HeldChain | undefined;
}

/** Changing this many routes, or services, in one step takes about as long as a slice. */
export const MAX_ROUTES_IN_PLACE = 256;

/** Compiles a change against what the runtime holds now. @throws CompileError, after disposing of what was compiled already */
export async function prepareChange(runtime: Runtime, changes: readonly RuntimeChange[]): Promise<PreparedChange> {
  const changed = new ServicesChange(runtime);
  const definitions = new Map<string, RouteDefinition | undefined>();
  const entries = new Map<string, RoutingEntry | undefined>();
  const slices = new Slices(runtime.options);
  const group = new GroupChange(runtime);
  let streamRoutes: PreparedStreamRoutes | undefined;
  const tlsItems = new Map<string, TlsItem | undefined>();
  try {
    for (const change of changes) {
      if (change.op === 'put-tls-item') tlsItems.set(tlsItemKey(change.kind, change.id), change.settings);
      else if (change.op === 'delete-tls-item') tlsItems.set(tlsItemKey(change.kind, change.id), undefined);
      else readChange(change, changed, definitions, group);
      await slices.pause();
    }
    const tls = tlsItems.size === 0 ? undefined : runtime.tls.prepare(tlsItems);
    const services = await changed.compile(slices);
    for (const id of await affectedRoutes(runtime, services, definitions, group.changedMetadata, slices)) {
      entries.set(id, compileAffected(runtime, id, services, definitions, group));
      await slices.pause();
    }
    const isLarge = entries.size > MAX_ROUTES_IN_PLACE;
    const routes = isLarge ? await runtime.routes.changed({ definitions, entries }, slices) : undefined;
    const { replaced, asserting } = await compareRoutes(runtime, entries, slices);
    const members = runtime.membersWith(group.metadata ?? runtime.metadata);
    const { changedMetadata } = group;
    const surroundings = { members, services, currentServices: runtime.services, changedMetadata };
    streamRoutes = await runtime.streamRoutes.prepare(changes, surroundings, slices);
    const { globalRules, metadata, consumerHeaders } = group;
    return {
      ...{ services, upstreams: changed.upstreams, definitions, entries, routes, replaced, asserting, streamRoutes },
      ...{ globalRules, metadata, consumerHeaders, tls, globals: group.compile() },
    };
  } catch (error) {
    disposeEntries(entries);
    changed.abandon();
    if (streamRoutes !== undefined) runtime.streamRoutes.abandon(streamRoutes);
    throw error;
  }
}

/** Ends the plugins' state of a change that is not put in force. */
export function disposePrepared(runtime: Runtime, prepared: PreparedChange): void {
  disposeEntries(prepared.entries);
  detachServices(prepared.services.values());
  if (prepared.streamRoutes !== undefined) runtime.streamRoutes.abandon(prepared.streamRoutes);
  prepared.globals?.retire();
}

function disposeEntries(entries: ReadonlyMap<string, RoutingEntry | undefined>): void {
  for (const entry of entries.values()) entry?.value.retire();
}

function readChange(
  change: Exclude<RuntimeChange, { readonly op: 'put-tls-item' | 'delete-tls-item' }>,
  services: ServicesChange,
  definitions: Map<string, RouteDefinition | undefined>,
  group: GroupChange,
): void {
  switch (change.op) {
    case 'put-service':
      services.put(change.id, change.settings);
      return;
    case 'delete-service':
      services.put(change.id, undefined);
      return;
    case 'put-upstream':
      services.putUpstream(change.serviceId, change.id, change.settings);
      return;
    case 'delete-upstream':
      services.putUpstream(change.serviceId, change.id, undefined);
      return;
    case 'put-route':
      definitions.set(change.id, { id: change.id, number: change.number, settings: change.settings });
      return;
    case 'delete-route':
      definitions.set(change.id, undefined);
      return;
    // They are compiled by themselves.
    case 'put-stream-route':
    case 'delete-stream-route':
      return;
    case 'put-global-rule':
      group.putRule(change.id, change.settings);
      return;
    case 'delete-global-rule':
      group.putRule(change.id, undefined);
      return;
    case 'put-plugin-metadata':
      group.putMetadata(change.plugin, change.value);
      return;
    case 'delete-plugin-metadata':
      group.putMetadata(change.plugin, undefined);
      return;
    case 'put-consumer-needs':
      group.consumerHeaders.set(change.id, change.needs.identityHeaders);
      return;
    case 'delete-consumer-needs':
      group.consumerHeaders.set(change.id, undefined);
  }
}

/** Routes that changed themselves, and those whose service or whose plugins' metadata changed: in a fixed order, each once. */
async function affectedRoutes(
  runtime: Runtime,
  services: ReadonlyMap<string, RuntimeService | undefined>,
  definitions: ReadonlyMap<string, RouteDefinition | undefined>,
  changedMetadata: ReadonlySet<string>,
  slices: Slices,
): Promise<ReadonlySet<string>> {
  const affected = new Set(definitions.keys());
  for (const serviceId of services.keys()) {
    for (const routeId of runtime.routes.ofService(serviceId)) affected.add(routeId);
    await slices.pause();
  }
  if (changedMetadata.size === 0) return affected;
  for (const { id, chain } of runtime.routes.allServed()) {
    if (chain.members.some(({ name, nested }) => changedMetadata.has(name) || nested.some((inner) => changedMetadata.has(inner)))) {
      affected.add(id);
    }
    await slices.pause();
  }
  return affected;
}

function compileAffected(
  runtime: Runtime,
  id: string,
  services: ReadonlyMap<string, RuntimeService | undefined>,
  definitions: ReadonlyMap<string, RouteDefinition | undefined>,
  group: GroupChange,
): RoutingEntry | undefined {
  const definition = definitions.has(id) ? definitions.get(id) : runtime.routes.definition(id);
  if (definition === undefined) return undefined;
  const serviceId = definition.settings.serviceId;
  const service = services.has(serviceId) ? services.get(serviceId) : runtime.services.get(serviceId);
  return compileRoute(definition, service, runtime.membersWith(group.metadata ?? runtime.metadata));
}

/** What the entries put out of force, and whose plugins assert identities: looked up now, so that putting the change in force is short. */
async function compareRoutes(
  runtime: Runtime,
  entries: ReadonlyMap<string, RoutingEntry | undefined>,
  slices: Slices,
): Promise<Pick<PreparedChange, 'replaced' | 'asserting'>> {
  const replaced: RuntimeRoute[] = [];
  const added: ChainMember[] = [];
  const removed: ChainMember[] = [];
  for (const [id, entry] of entries) {
    const old = runtime.routes.served(id);
    if (old !== undefined) replaced.push(old);
    removed.push(...assertingIn(old));
    added.push(...assertingIn(entry?.value));
    await slices.pause();
  }
  return { replaced, asserting: { added, removed } };
}

function assertingIn(route: RuntimeRoute | undefined): readonly ChainMember[] {
  return route === undefined ? [] : route.chain.members.filter(({ identityHeaders }) => identityHeaders.length > 0);
}

/** What of a change concerns the whole group: global rules and metadata, copied when they first change, and headers of identity. */
class GroupChange {
  globalRules: Map<string, PluginSettings> | undefined = undefined;
  metadata: Map<string, JsonObject> | undefined = undefined;
  readonly changedMetadata = new Set<string>();
  readonly consumerHeaders = new Map<string, readonly string[] | undefined>();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  putRule(id: string, settings: PluginSettings | undefined): void {
    this.globalRules ??= new Map(this.#runtime.globalRules);
    if (settings === undefined) this.globalRules.delete(id);
    else this.globalRules.set(id, settings);
  }

  putMetadata(plugin: string, value: JsonObject | undefined): void {
    this.metadata ??= new Map(this.#runtime.metadata);
    this.changedMetadata.add(plugin);
    if (value === undefined) this.metadata.delete(plugin);
    else this.metadata.set(plugin, value);
  }

  /** The global rules' plugins, if anything changed for them. @throws CompileError */
  compile(): HeldChain | undefined {
    if (this.globalRules === undefined && this.metadata === undefined) return undefined;
    const rules = this.globalRules ?? this.#runtime.globalRules;
    return compileGlobalRules(rules, this.#runtime.membersWith(this.metadata ?? this.#runtime.metadata));
  }
}
