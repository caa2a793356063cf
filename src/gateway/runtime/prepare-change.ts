import { Router } from '../router/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { compileRoute, type RouteDefinition, type RoutingEntry } from './compile-route.ts';
import { compileService, type RuntimeService } from './compile-service.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeRoute } from './runtime-route.ts';

/** A change compiled aside. `undefined` in a map: removed, or (among entries) not served. */
export interface PreparedChange {
  readonly services: ReadonlyMap<string, RuntimeService | undefined>;
  readonly definitions: ReadonlyMap<string, RouteDefinition | undefined>;
  readonly entries: ReadonlyMap<string, RoutingEntry | undefined>;
  /** A whole routing table, where building it aside stalls the worker less than changing the one in force. */
  readonly router: Router<RuntimeRoute> | undefined;
}

/** Longest time that preparing keeps other work of the thread waiting. */
const SLICE_MS = 4;
/** Changing this many routes in one step takes about as long as a slice. */
const MAX_ROUTES_IN_PLACE = 256;

/** Compiles a change against what the runtime holds now. @throws CompileError, after disposing of what was compiled already */
export async function prepareChange(runtime: Runtime, changes: readonly RuntimeChange[]): Promise<PreparedChange> {
  const services = new Map<string, RuntimeService | undefined>();
  const definitions = new Map<string, RouteDefinition | undefined>();
  const entries = new Map<string, RoutingEntry | undefined>();
  const slices = new Slices(runtime);
  try {
    for (const change of changes) {
      readChange(runtime, change, services, definitions);
      await slices.pause();
    }
    for (const id of affectedRoutes(runtime, services, definitions)) {
      entries.set(id, compileAffected(runtime, id, services, definitions));
      await slices.pause();
    }
    const router = entries.size > MAX_ROUTES_IN_PLACE ? await buildRouter(runtime, entries, slices) : undefined;
    return { services, definitions, entries, router };
  } catch (error) {
    disposeEntries(entries);
    throw error;
  }
}

/** Ends the plugins' state of a change that is not put in force. */
export function disposePrepared(prepared: PreparedChange): void {
  disposeEntries(prepared.entries);
}

function disposeEntries(entries: ReadonlyMap<string, RoutingEntry | undefined>): void {
  for (const entry of entries.values()) entry?.value.retire();
}

function readChange(
  runtime: Runtime,
  change: RuntimeChange,
  services: Map<string, RuntimeService | undefined>,
  definitions: Map<string, RouteDefinition | undefined>,
): void {
  switch (change.op) {
    case 'put-service':
      services.set(change.id, compileService(change.id, change.settings, runtime.options));
      return;
    case 'delete-service':
      services.set(change.id, undefined);
      return;
    case 'put-route':
      definitions.set(change.id, { id: change.id, number: change.number, settings: change.settings });
      return;
    case 'delete-route':
      definitions.set(change.id, undefined);
  }
}

/** Routes that changed themselves, and those whose service changed: in a fixed order, each once. */
function affectedRoutes(
  runtime: Runtime,
  services: ReadonlyMap<string, RuntimeService | undefined>,
  definitions: ReadonlyMap<string, RouteDefinition | undefined>,
): ReadonlySet<string> {
  const affected = new Set(definitions.keys());
  for (const serviceId of services.keys()) {
    for (const routeId of runtime.routesOfService.get(serviceId) ?? []) affected.add(routeId);
  }
  return affected;
}

function compileAffected(
  runtime: Runtime,
  id: string,
  services: ReadonlyMap<string, RuntimeService | undefined>,
  definitions: ReadonlyMap<string, RouteDefinition | undefined>,
): RoutingEntry | undefined {
  const definition = definitions.has(id) ? definitions.get(id) : runtime.definitions.get(id);
  if (definition === undefined) return undefined;
  const serviceId = definition.settings.serviceId;
  const service = services.has(serviceId) ? services.get(serviceId) : runtime.services.get(serviceId);
  return compileRoute(definition, service, runtime.options.catalogue, runtime.options.onDisposeFailed);
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
