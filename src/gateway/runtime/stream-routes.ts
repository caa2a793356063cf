import type { RuntimeChange } from '../worker/worker-messages.ts';
import { CompileError } from './compile-error.ts';
import type { RuntimeService } from './compile-service.ts';
import type { MemberSurroundings } from './create-member.ts';
import { createChain } from './held-chain.ts';
import { mergePlugins, type OwnedPlugins, ownedBy } from './owned-plugins.ts';
import type { PluginCatalogue } from './plugin-chain.ts';
import { RuntimeStreamRoute } from './runtime-stream-route.ts';
import type { StreamRouteSettings } from './settings.ts';
import type { Slices } from './slices.ts';
import { type RoutableStream, type RoutableStreamRoute, StreamRouter } from './stream-router.ts';

/** A stream route as it was configured, apart from its service. */
interface StreamRouteDefinition {
  readonly number: number;
  readonly settings: StreamRouteSettings;
}

type Entry = RoutableStreamRoute<RuntimeStreamRoute>;

/** What of a change concerns stream routes, compiled aside. `undefined` in a map: removed, or (among entries) not served. */
export interface PreparedStreamRoutes {
  readonly definitions: ReadonlyMap<string, StreamRouteDefinition | undefined>;
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  /** A whole router, where changing the one in force would take longer than a slice. */
  readonly router: StreamRouter<RuntimeStreamRoute> | undefined;
}

/** Changing this many routes in one step takes less than a slice. */
const MOST_IN_PLACE = 256;

/** What a change is compiled with. */
export interface StreamRouteSurroundings {
  readonly members: MemberSurroundings;
  /** Services that the change puts or removes. */
  readonly services: ReadonlyMap<string, RuntimeService | undefined>;
  /** Those in force. */
  readonly currentServices: ReadonlyMap<string, RuntimeService>;
  readonly changedMetadata: ReadonlySet<string>;
}

/** The stream routes that a worker serves. As with other routes a change is compiled aside and then put in force in one step. */
export class StreamRoutes {
  readonly #definitions = new Map<string, StreamRouteDefinition>();
  readonly #entries = new Map<string, Entry>();
  #router = new StreamRouter<RuntimeStreamRoute>();

  /** The route that a connection takes. */
  match(stream: RoutableStream): RuntimeStreamRoute | undefined {
    return this.#router.match(stream);
  }

  /** Undefined where the change concerns no stream route. @throws CompileError, after disposing of what was compiled already */
  async prepare(
    changes: readonly RuntimeChange[],
    surroundings: StreamRouteSurroundings,
    slices: Slices,
  ): Promise<PreparedStreamRoutes | undefined> {
    const definitions = definitionsIn(changes);
    const affected = this.#affected(definitions, surroundings);
    if (affected.size === 0) return undefined;
    const entries = new Map<string, Entry | undefined>();
    try {
      for (const id of affected) {
        const definition = definitions.has(id) ? definitions.get(id) : this.#definitions.get(id);
        entries.set(id, definition === undefined ? undefined : compile(id, definition, surroundings));
        await slices.pause();
      }
      const router = entries.size > MOST_IN_PLACE ? await this.#routerWith(entries, slices) : undefined;
      return { definitions, entries, router };
    } catch (error) {
      retireAll(entries);
      throw error;
    }
  }

  /** Puts it in force. Does not throw. */
  commit({ definitions, entries, router }: PreparedStreamRoutes): void {
    for (const [id, definition] of definitions) {
      if (definition === undefined) this.#definitions.delete(id);
      else this.#definitions.set(id, definition);
    }
    if (router !== undefined) this.#router = router;
    for (const [id, entry] of entries) {
      const old = this.#entries.get(id);
      if (router === undefined) {
        if (entry === undefined) this.#router.remove(id);
        else this.#router.put(entry);
      }
      if (entry === undefined) this.#entries.delete(id);
      else this.#entries.set(id, entry);
      old?.value.retire();
    }
  }

  /** Ends the plugins' state of a change that is not put in force. */
  abandon(prepared: PreparedStreamRoutes): void {
    retireAll(prepared.entries);
  }

  /** Serves nothing any more. */
  close(): void {
    retireAll(this.#entries);
    this.#entries.clear();
    this.#router = new StreamRouter<RuntimeStreamRoute>();
  }

  async #routerWith(changed: ReadonlyMap<string, Entry | undefined>, slices: Slices): Promise<StreamRouter<RuntimeStreamRoute>> {
    const router = new StreamRouter<RuntimeStreamRoute>();
    for (const [id, entry] of this.#entries) {
      if (!changed.has(id)) router.put(entry);
      await slices.pause();
    }
    for (const entry of changed.values()) {
      if (entry !== undefined) router.put(entry);
      await slices.pause();
    }
    return router;
  }

  #affected(definitions: ReadonlyMap<string, unknown>, { services, changedMetadata }: StreamRouteSurroundings): ReadonlySet<string> {
    const affected = new Set(definitions.keys());
    if (services.size > 0) for (const [id, { settings }] of this.#definitions) if (services.has(settings.serviceId)) affected.add(id);
    if (changedMetadata.size === 0) return affected;
    for (const [id, { value }] of this.#entries) {
      if ([...changedMetadata].some((plugin) => value.pluginNames.has(plugin))) affected.add(id);
    }
    return affected;
  }
}

function definitionsIn(changes: readonly RuntimeChange[]): ReadonlyMap<string, StreamRouteDefinition | undefined> {
  const definitions = new Map<string, StreamRouteDefinition | undefined>();
  for (const change of changes) {
    if (change.op === 'put-stream-route') definitions.set(change.id, { number: change.number, settings: change.settings });
    if (change.op === 'delete-stream-route') definitions.set(change.id, undefined);
  }
  return definitions;
}

/** Undefined for a route that is not to be served: it or its service is switched off, or the service is none for streams. */
function compile(id: string, { number, settings }: StreamRouteDefinition, surroundings: StreamRouteSurroundings): Entry | undefined {
  const { serviceId } = settings;
  const service = surroundings.services.has(serviceId) ? surroundings.services.get(serviceId) : surroundings.currentServices.get(serviceId);
  if (service === undefined || service.settings.stream === undefined || !service.settings.enabled || !settings.enabled) return undefined;
  const plugins = mergePlugins(
    ownedBy({ kind: 'service', id: serviceId }, service.settings.plugins),
    ownedBy({ kind: 'stream_route', id }, settings.plugins),
  );
  if (!runOnStreams(plugins, surroundings.members.catalogue)) return undefined;
  try {
    const held = createChain(plugins, surroundings.members);
    const value = new RuntimeStreamRoute({ id, number, name: settings.name, service, plugins: held });
    return { id, transport: service.settings.stream, condition: settings, value };
  } catch (error) {
    throw new CompileError(`stream route ${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Serving a route without a plugin it asks for could let in whom that plugin keeps out. A write of such a one is refused. */
function runOnStreams(plugins: OwnedPlugins, catalogue: PluginCatalogue): boolean {
  return [...plugins].every(([name, { read }]) => read.kind === 'disabled' || catalogue.get(name)?.plugin.runsOnStreams === true);
}

function retireAll(entries: ReadonlyMap<string, Entry | undefined>): void {
  for (const entry of entries.values()) entry?.value.retire();
}
