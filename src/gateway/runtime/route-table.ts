import { type RoutableRequest, Router, type TakePlace } from '../router/index.ts';
import type { RouteDefinition, RoutingEntry } from './compile-route.ts';
import type { RuntimeRoute } from './runtime-route.ts';
import type { Slices } from './slices.ts';

/** What changes of a table, by route. Undefined: removed, or (among entries) not served. */
export interface RouteChanges {
  readonly definitions: ReadonlyMap<string, RouteDefinition | undefined>;
  readonly entries: ReadonlyMap<string, RoutingEntry | undefined>;
}

const NO_IDS: ReadonlySet<string> = new Set();

/** Routes as they were configured, and those of them that are served, in the routing table. */
export class RouteTable {
  readonly #definitions = new Map<string, RouteDefinition>();
  /** A definition without an entry is not served. */
  readonly #entries = new Map<string, RoutingEntry>();
  readonly #ofService = new Map<string, Set<string>>();
  readonly #router = new Router<RuntimeRoute>();

  definition(id: string): RouteDefinition | undefined {
    return this.#definitions.get(id);
  }

  served(id: string): RuntimeRoute | undefined {
    return this.#entries.get(id)?.value;
  }

  *allServed(): Generator<RuntimeRoute> {
    for (const { value } of this.#entries.values()) yield value;
  }

  /** Ids of the routes of a service, of one that does not exist too. */
  ofService(serviceId: string): ReadonlySet<string> {
    return this.#ofService.get(serviceId) ?? NO_IDS;
  }

  /** As `Router.visit`. */
  visit(request: RoutableRequest, take: TakePlace<RuntimeRoute>): void {
    this.#router.visit(request, take);
  }

  /** Changes the table in place: costs what changes. */
  change({ definitions, entries }: RouteChanges): void {
    for (const [id, definition] of definitions) this.#putDefinition(id, definition);
    for (const [id, entry] of entries) this.#putEntry(id, entry);
  }

  /** Another table, as this one would be after the change; built in slices. */
  async changed({ definitions, entries }: RouteChanges, slices: Slices): Promise<RouteTable> {
    const table = new RouteTable();
    for (const [id, definition] of chain(this.#definitions, definitions)) {
      if (definition !== undefined) table.#putDefinition(id, definition);
      await slices.pause();
    }
    for (const [id, entry] of chain(this.#entries, entries)) {
      if (entry !== undefined) table.#putEntry(id, entry);
      await slices.pause();
    }
    return table;
  }

  #putEntry(id: string, entry: RoutingEntry | undefined): void {
    if (entry === undefined) {
      if (this.#entries.delete(id)) this.#router.remove(id);
      return;
    }
    this.#entries.set(id, entry);
    this.#router.put(entry);
  }

  #putDefinition(id: string, definition: RouteDefinition | undefined): void {
    const old = this.#definitions.get(id);
    if (old !== undefined) this.#unlink(old);
    if (definition === undefined) {
      this.#definitions.delete(id);
      return;
    }
    this.#definitions.set(id, definition);
    const { serviceId } = definition.settings;
    const routes = this.#ofService.get(serviceId);
    if (routes === undefined) this.#ofService.set(serviceId, new Set([id]));
    else routes.add(id);
  }

  #unlink({ id, settings: { serviceId } }: RouteDefinition): void {
    const routes = this.#ofService.get(serviceId);
    routes?.delete(id);
    if (routes?.size === 0) this.#ofService.delete(serviceId);
  }
}

/** What stays of the old, then the new. */
function* chain<Value>(
  old: ReadonlyMap<string, Value>,
  changes: ReadonlyMap<string, Value | undefined>,
): Generator<readonly [string, Value | undefined]> {
  for (const pair of old) if (!changes.has(pair[0])) yield pair;
  yield* changes;
}
