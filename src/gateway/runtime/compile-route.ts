import type { HopTimeouts } from '../../schema/index.ts';
import { joinPathPrefix, methodMask, type RoutableRoute } from '../router/index.ts';
import { CompileError } from './compile-error.ts';
import type { RuntimeService } from './compile-service.ts';
import { compileChain, type DisposeFailed, mergePlugins, type PluginCatalogue } from './plugin-chain.ts';
import { RuntimeRoute } from './runtime-route.ts';
import type { RouteSettings } from './settings.ts';

/** A route as it was configured, apart from its service: kept because a change of the service compiles it anew. */
export interface RouteDefinition {
  readonly id: string;
  readonly number: number;
  readonly settings: RouteSettings;
}

/** Where the routing table puts a compiled route. */
export type RoutingEntry = RoutableRoute<RuntimeRoute>;

/** Time-outs where neither route nor upstream says anything; without an upstream nothing is ever dialled. */
const NO_TIMEOUTS: HopTimeouts = { connectTimeoutMs: 0, sendTimeoutMs: 0, readTimeoutMs: 0 };

/**
 * The route's entry for the routing table, its plugins created; undefined when it is not to be served, because it or its service
 * is switched off or the service does not exist (a client may move a route before it creates the service).
 *
 * @throws CompileError
 */
export function compileRoute(
  definition: RouteDefinition,
  service: RuntimeService | undefined,
  catalogue: PluginCatalogue,
  onDisposeFailed: DisposeFailed,
): RoutingEntry | undefined {
  const { id, number, settings } = definition;
  if (service === undefined || !service.settings.enabled || !settings.enabled) return undefined;
  const { pathPrefix, stripPathPrefix, hosts } = service.settings;
  const route = new RuntimeRoute({
    id,
    number,
    serviceId: service.id,
    chain: chainOf(definition, service, catalogue, onDisposeFailed),
    upstream: service.upstream,
    timeouts: settings.timeouts ?? service.upstream?.settings ?? NO_TIMEOUTS,
    allowsUpgrade: settings.enableWebsocket ?? service.settings.enableWebsocket,
    strippedPrefix: stripPathPrefix && pathPrefix !== '/' ? pathPrefix : '',
  });
  const paths = settings.paths.map((path) => joinPathPrefix(pathPrefix === '' ? undefined : pathPrefix, path));
  return {
    id,
    hosts: hosts.map(withoutFinalDot),
    paths,
    methods: methodMask(settings.methods),
    priority: settings.priority,
    order: 0,
    conditional: false,
    value: route,
  };
}

/** The same name, written relatively: so the router gets the hosts of requests, too. A lone dot behind a wildcard is no name's end. */
function withoutFinalDot(host: string): string {
  return host.length > 1 && host.endsWith('.') && !host.endsWith('*.') ? host.slice(0, -1) : host;
}

function chainOf(definition: RouteDefinition, service: RuntimeService, catalogue: PluginCatalogue, onDisposeFailed: DisposeFailed) {
  try {
    return compileChain(mergePlugins(service.settings.plugins, definition.settings.plugins), catalogue, onDisposeFailed);
  } catch (error) {
    throw new CompileError(`route ${definition.id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
