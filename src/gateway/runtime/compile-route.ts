import type { HopTimeouts } from '../../schema/index.ts';
import { joinPathPrefix, methodMask, type RoutableRoute } from '../router/index.ts';
import { CompileError } from './compile-error.ts';
import type { RuntimeService } from './compile-service.ts';
import type { MemberSurroundings } from './create-member.ts';
import { createChain, type HeldChain } from './held-chain.ts';
import { mergePlugins, ownedBy } from './owned-plugins.ts';
import { compileConditions } from './route-conditions.ts';
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
  surroundings: MemberSurroundings,
): RoutingEntry | undefined {
  const { id, number, settings } = definition;
  if (service === undefined || !service.settings.enabled || !settings.enabled) return undefined;
  const { pathPrefix, stripPathPrefix } = service.settings;
  const hosts = service.settings.hosts.map(withoutFinalDot);
  const paths = settings.paths.map((path) => joinPathPrefix(pathPrefix === '' ? undefined : pathPrefix, path));
  const conditions = compileConditions(id, settings);
  const route = new RuntimeRoute({
    id,
    number,
    name: settings.name,
    serviceId: service.id,
    serviceName: service.settings.name,
    conditions,
    plugins: createPlugins(definition, service, surroundings),
    upstream: service.upstream,
    otherUpstreams: service.others,
    ownTimeouts: settings.timeouts,
    timeouts: settings.timeouts ?? service.upstream?.settings ?? NO_TIMEOUTS,
    allowsUpgrade: settings.enableWebsocket ?? service.settings.enableWebsocket,
    strippedPrefix: stripPathPrefix && pathPrefix !== '/' ? pathPrefix : '',
  });
  return {
    id,
    hosts,
    paths,
    methods: methodMask(settings.methods),
    priority: settings.priority,
    order: 0,
    conditional: conditions !== undefined,
    value: route,
  };
}

/** The same name, written relatively: so the router gets the hosts of requests, too. A lone dot behind a wildcard is no name's end. */
function withoutFinalDot(host: string): string {
  return host.length > 1 && host.endsWith('.') && !host.endsWith('*.') ? host.slice(0, -1) : host;
}

function createPlugins(definition: RouteDefinition, service: RuntimeService, surroundings: MemberSurroundings): HeldChain {
  const ofService = ownedBy({ kind: 'service', id: service.id }, service.settings.plugins);
  const ofRoute = ownedBy({ kind: 'route', id: definition.id }, definition.settings.plugins);
  try {
    return createChain(mergePlugins(ofService, ofRoute), surroundings);
  } catch (error) {
    throw new CompileError(`route ${definition.id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
