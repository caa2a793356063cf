import type { UpstreamTarget } from '../../engine/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import { type AnyPlugin, definePlugin, type PluginPhases, Type } from '../../plugin-kit/index.ts';
import { isJsonObject } from '../../schema/index.ts';
import { AddressBook, catalogueOf, Runtime, type RuntimeOptions, type RuntimeRoute } from '../runtime/index.ts';
import { type ReadablePlugin, readPlugins, readRouteSettings, readServiceSettings } from '../runtime/read-settings.ts';
import { TicketKeys, TlsItems, UpstreamIdentities } from '../tls/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { testServices } from './test-services.ts';

/** Targets that are counted, so that a test sees what is held. */
export class CountedTargets {
  readonly held = new Map<string, number>();

  target(address: string, port: number): UpstreamTarget {
    const key = `${address} ${port}`;
    this.held.set(key, (this.held.get(key) ?? 0) + 1);
    return { address, port };
  }

  retire(target: UpstreamTarget): void {
    const key = `${target.address} ${target.port}`;
    const left = (this.held.get(key) ?? 0) - 1;
    if (left > 0) this.held.set(key, left);
    else this.held.delete(key);
  }
}

const TEST_PLUGIN_SCHEMA = Type.Object({ valid: Type.Optional(Type.Boolean()), where: Type.Optional(Type.String()) });

/** Its phases, whatever the configuration, or by it. */
type TestPhases = PluginPhases<unknown> | ((configuration: JsonObject) => PluginPhases<unknown>);

/** A plugin whose code the test writes. A phase that a function leaves out runs and does nothing. */
export function testPlugin(
  name: string,
  priority: number,
  phases: TestPhases,
  life: { readonly created?: () => void; readonly disposed?: () => void } = {},
): AnyPlugin {
  return definePlugin<JsonObject, unknown>({
    name,
    version: '1',
    priority,
    type: 'other',
    schema: TEST_PLUGIN_SCHEMA,
    secretFields: [],
    identityHeaders: [],
    create: (configuration) => {
      life.created?.();
      return typeof phases === 'function' ? phases(configuration) : configuration;
    },
    dispose: () => life.disposed?.(),
    phases: typeof phases === 'function' ? byConfiguration : phases,
  });
}

/** The phases that `create` made of the configuration. */
const byConfiguration: PluginPhases<unknown> = {
  rewrite: (request, state) => phasesIn(state).rewrite?.(request, state),
  access: (request, state) => phasesIn(state).access?.(request, state),
  beforeProxy: (request, state) => phasesIn(state).beforeProxy?.(request, state),
  headerFilter: (request, response, state) => phasesIn(state).headerFilter?.(request, response, state),
  bodyFilter: (request, response, state) => phasesIn(state).bodyFilter?.(request, response, state),
  log: (request, state) => phasesIn(state).log?.(request, state),
};

function phasesIn(state: unknown): PluginPhases<unknown> {
  return state as PluginPhases<unknown>;
}

/** A runtime without a worker around it. */
export function createTestRuntime(plugins: readonly AnyPlugin[] = [], more: Partial<RuntimeOptions> = {}): Runtime {
  const tls = new TlsItems({
    fallbackName: undefined,
    ticketKeys: new TicketKeys(systemRandom.bytes(32)),
    nowMs: () => 0,
    onProblem: () => {},
  });
  return new Runtime({
    addresses: new AddressBook(),
    targets: new CountedTargets(),
    slots: { serviceSlot: () => -1, nodeSlot: () => -1, requestsInFlight: () => 0 },
    health: undefined,
    mayDial: () => true,
    random: systemRandom,
    catalogue: catalogueOf(plugins),
    tls,
    identities: new UpstreamIdentities({ items: tls, verifiesByDefault: false, onFailed: () => {}, onProblem: () => {} }),
    services: testServices(),
    onDisposeFailed: (plugin, error) => {
      throw new Error(`${plugin} failed to dispose`, { cause: error });
    },
    yieldTurn: () => Promise.resolve(),
    monotonicMs: () => 0,
    ...more,
  });
}

/** The first route for GET of a path that needs nothing else, or that has conditions. */
export function routeAt(runtime: Runtime, path: string, host = 'test'): RuntimeRoute | undefined {
  const found: RuntimeRoute[] = [];
  runtime.visit({ host, path, method: 1 }, (place) => found.push(place.route.value) > 0);
  return found[0];
}

/** Prepares changes and puts them in force. */
export async function putInForce(runtime: Runtime, changes: readonly RuntimeChange[]): Promise<void> {
  runtime.commit(await runtime.prepare(changes));
}

/** The service `s` with one node. */
export function serviceChange(more: JsonObject = {}): RuntimeChange {
  return serviceWithoutUpstream({ upstream: { nodes: [{ host: '10.1.1.1', port: 80, weight: 1 }] }, ...more });
}

/** The service `s` that forwards nowhere. */
export function serviceWithoutUpstream(more: JsonObject = {}): RuntimeChange {
  const value = { name: 's', ...more };
  return { op: 'put-service', id: 's', settings: readServiceSettings('s', value, readableTestPlugins(more)) };
}

/** A route of the service `s`. */
export function routeChange(id: string, paths: readonly string[], more: JsonObject = {}): RuntimeChange {
  const settings = readRouteSettings(id, { name: id, service_id: 's', paths, ...more }, readableTestPlugins(more));
  return { op: 'put-route', id, number: 1, settings };
}

/** A global rule. */
export function globalRuleChange(id: string, plugins: JsonObject): RuntimeChange {
  return { op: 'put-global-rule', id, settings: readPlugins(new Map(Object.entries(plugins)), readableTestPlugins({ plugins })) };
}

/** Every plugin that a document names, for all test plugins have the same schema. */
function readableTestPlugins({ plugins }: JsonObject): readonly ReadablePlugin[] {
  return Object.keys(isJsonObject(plugins) ? plugins : {}).map((name) => ({ name, schema: TEST_PLUGIN_SCHEMA }));
}
