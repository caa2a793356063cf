import type { JsonObject } from '../../lib/json.ts';
import type { TlsItem } from '../../schema/index.ts';
import { Router } from '../router/index.ts';
import { type PreparedTls, tlsItemKey } from '../tls/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { compileRoute, type RouteDefinition, type RoutingEntry } from './compile-route.ts';
import type { RuntimeService, UpstreamSettings } from './compile-service.ts';
import { compileGlobalRules } from './global-rules.ts';
import type { HeldChain } from './held-chain.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeRoute } from './runtime-route.ts';
import { ServicesChange } from './services-change.ts';
import type { PluginSettings } from './settings.ts';

/** A change compiled aside. `undefined` in a map: removed, or (among entries) not served. */
export interface PreparedChange {
  readonly services: ReadonlyMap<string, RuntimeService | undefined>;
  /** All further upstreams of those services that have other ones now. */
  readonly upstreams: ReadonlyMap<string, UpstreamSettings>;
  readonly definitions: ReadonlyMap<string, RouteDefinition | undefined>;
  readonly entries: ReadonlyMap<string, RoutingEntry | undefined>;
  /** A whole routing table, where building it aside stalls the worker less than changing the one in force. */
  readonly router: Router<RuntimeRoute> | undefined;
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

/** Longest time that preparing keeps other work of the thread waiting. */
const SLICE_MS = 4;
/** Changing this many routes in one step takes about as long as a slice. */
const MAX_ROUTES_IN_PLACE = 256;

/** Compiles a change against what the runtime holds now. @throws CompileError, after disposing of what was compiled already */
export async function prepareChange(runtime: Runtime, changes: readonly RuntimeChange[]): Promise<PreparedChange> {
  const changed = new ServicesChange(runtime);
  const definitions = new Map<string, RouteDefinition | undefined>();
  const entries = new Map<string, RoutingEntry | undefined>();
  const slices = new Slices(runtime);
  const group = new GroupChange(runtime);
  const tlsItems = new Map<string, TlsItem | undefined>();
  try {
    for (const change of changes) {
      if (change.op === 'put-tls-item') tlsItems.set(tlsItemKey(change.kind, change.id), change.settings);
      else if (change.op === 'delete-tls-item') tlsItems.set(tlsItemKey(change.kind, change.id), undefined);
      else readChange(change, changed, definitions, group);
      await slices.pause();
    }
    const tls = tlsItems.size === 0 ? undefined : runtime.tls.prepare(tlsItems);
    const services = changed.compile();
    for (const id of affectedRoutes(runtime, services, definitions, group.changedMetadata)) {
      entries.set(id, compileAffected(runtime, id, services, definitions, group));
      await slices.pause();
    }
    const router = entries.size > MAX_ROUTES_IN_PLACE ? await buildRouter(runtime, entries, slices) : undefined;
    const { globalRules, metadata, consumerHeaders } = group;
    const { upstreams } = changed;
    return { services, upstreams, definitions, entries, router, globalRules, metadata, consumerHeaders, tls, globals: group.compile() };
  } catch (error) {
    disposeEntries(entries);
    throw error;
  }
}

/** Ends the plugins' state of a change that is not put in force. */
export function disposePrepared(prepared: PreparedChange): void {
  disposeEntries(prepared.entries);
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
function affectedRoutes(
  runtime: Runtime,
  services: ReadonlyMap<string, RuntimeService | undefined>,
  definitions: ReadonlyMap<string, RouteDefinition | undefined>,
  changedMetadata: ReadonlySet<string>,
): ReadonlySet<string> {
  const affected = new Set(definitions.keys());
  for (const serviceId of services.keys()) {
    for (const routeId of runtime.routesOfService.get(serviceId) ?? []) affected.add(routeId);
  }
  if (changedMetadata.size === 0) return affected;
  for (const [id, { value }] of runtime.entries) {
    if (value.chain.members.some(({ name, nested }) => changedMetadata.has(name) || nested.some((inner) => changedMetadata.has(inner)))) {
      affected.add(id);
    }
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
  const definition = definitions.has(id) ? definitions.get(id) : runtime.definitions.get(id);
  if (definition === undefined) return undefined;
  const serviceId = definition.settings.serviceId;
  const service = services.has(serviceId) ? services.get(serviceId) : runtime.services.get(serviceId);
  return compileRoute(definition, service, runtime.membersWith(group.metadata ?? runtime.metadata));
}

async function buildRouter(
  runtime: Runtime,
  entries: ReadonlyMap<string, RoutingEntry | undefined>,
  slices: Slices,
): Promise<Router<RuntimeRoute>> {
  const router = new Router<RuntimeRoute>();
  for (const [id, entry] of runtime.entries) {
    if (!entries.has(id)) router.put(entry);
    await slices.pause();
  }
  for (const entry of entries.values()) {
    if (entry !== undefined) router.put(entry);
    await slices.pause();
  }
  return router;
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

/** Lets other work of the thread run whenever a slice of time is used up. */
class Slices {
  readonly #runtime: Runtime;
  #startedAtMs: number;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#startedAtMs = runtime.options.monotonicMs();
  }

  async pause(): Promise<void> {
    const { monotonicMs, yieldTurn } = this.#runtime.options;
    if (monotonicMs() - this.#startedAtMs < SLICE_MS) return;
    await yieldTurn();
    this.#startedAtMs = monotonicMs();
  }
}
