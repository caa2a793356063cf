import { PortcullisError } from '../errors/index.ts';
import { canonicalAddress } from '../lib/canonical-address.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { compileValidator, type Validator } from './compile-validator.ts';
import { isJsonObject } from './copy-document.ts';
import { type EffectiveUpstream, type HopTimeouts, readTimeouts, readUpstream } from './effective-upstream.ts';
import { formatIssues, type Issue } from './issue.ts';
import { checkRoute, routeSchema } from './route.ts';
import { checkService, serviceSchema } from './service.ts';
import { checkStreamRoute, streamRouteSchema } from './stream-route.ts';
import {
  checkStreamService,
  isStreamService,
  type StreamTransport,
  streamServiceSchema,
  streamTransportOf,
  unservedInStreamService,
} from './stream-service.ts';
import { checkFurtherUpstream, upstreamSchema } from './upstream.ts';

/** Plugin name → configuration as it was written, without defaults. */
export type PluginConfigurations = ReadonlyMap<string, JsonValue>;

/** A service as the gateway serves it, with every default in place. */
export interface Service {
  readonly name: string;
  /** False: none of its routes is served. */
  readonly enabled: boolean;
  /** Lower case; empty: any host. A leading `*` stands for any beginning. */
  readonly hosts: readonly string[];
  /** `''` for none, otherwise it begins with `/`. */
  readonly pathPrefix: string;
  readonly stripPathPrefix: boolean;
  /** For those of its routes that say nothing of it. */
  readonly enableWebsocket: boolean;
  readonly plugins: PluginConfigurations;
  readonly upstream: EffectiveUpstream | undefined;
  /** What stream routes of it take; undefined for a service whose routes are those of HTTP. */
  readonly stream: StreamTransport | undefined;
}

/** A stream route as the gateway serves it. */
export interface StreamRoute {
  readonly name: string;
  readonly enabled: boolean;
  readonly serviceId: string;
  /** Of the gateway's own side of the connection, as far as they are named; canonical. */
  readonly serverAddress: string | undefined;
  readonly serverPort: number | undefined;
  /** The client's address or network. */
  readonly remoteAddress: string | undefined;
  /** The host that the client asks for by TLS, lower case; a leading `*.` stands for one label. */
  readonly serverName: string | undefined;
  readonly plugins: PluginConfigurations;
}

/** A route as the gateway serves it, with every default in place. */
export interface Route {
  readonly name: string;
  readonly enabled: boolean;
  readonly serviceId: string;
  /** Relative to the service's prefix, see `parsePathPattern`. */
  readonly paths: readonly string[];
  /** Undefined: all. */
  readonly methods: readonly string[] | undefined;
  /** A rule for the values of variables, as written; empty: none. */
  readonly vars: readonly JsonValue[];
  /** Addresses and networks of clients; empty: all. */
  readonly remoteAddresses: readonly string[];
  /** Higher first, among routes of the same path. */
  readonly priority: number;
  /** In place of the upstream's time-outs. */
  readonly timeouts: HopTimeouts | undefined;
  /** Whether a client may change the protocol; undefined: as the service says. */
  readonly enableWebsocket: boolean | undefined;
  readonly plugins: PluginConfigurations;
}

/** What the gateway needs of a consumer beyond its keys. */
export interface Consumer {
  /** The label `custom_id`, sent to the upstream as `X-Consumer-Custom-ID`; never empty. */
  readonly customId: string | undefined;
  /** All labels that are text, `custom_id` among them. */
  readonly labels: ReadonlyMap<string, string>;
  /** Those that are no credentials. */
  readonly plugins: PluginConfigurations;
}

const matchService = compileValidator(serviceSchema);
const matchStreamService = compileValidator(streamServiceSchema);
const matchRoute = compileValidator(routeSchema);
const matchStreamRoute = compileValidator(streamRouteSchema);
const matchUpstream = compileValidator(upstreamSchema);

/**
 * Reads a stored service. The same schema and checks hold as on a write, so that a document with a rule that this version cannot
 * enforce is refused and never served without it.
 *
 * @throws PortcullisError `internal` with all faults in its detail
 */
export function readService(value: JsonObject): Service {
  if (isStreamService(value)) return readStreamService(value);
  const service = readDocument('service', matchService, checkService, value);
  return {
    name: service.name,
    enabled: service.status !== 0,
    hosts: (service.hosts ?? []).map(canonicalHost),
    pathPrefix: service.path_prefix ?? '',
    stripPathPrefix: service.strip_path_prefix ?? true,
    enableWebsocket: service.enable_websocket ?? false,
    plugins: readPlugins(service.plugins),
    upstream: service.upstream === undefined ? undefined : readUpstream(service.upstream),
    stream: undefined,
  };
}

/** As the host of a request is read: in lower case, and a name that is written absolutely is the same name. */
function canonicalHost(pattern: string): string {
  const host = pattern.toLowerCase();
  return host.length > 1 && host.endsWith('.') ? host.slice(0, -1) : host;
}

function readStreamService(value: JsonObject): Service {
  const check: typeof checkStreamService = (service) => [...unservedInStreamService(service), ...checkStreamService(service)];
  const { name, status, plugins, upstream } = readDocument('service', matchStreamService, check, value);
  return {
    name,
    enabled: status !== 0,
    hosts: [],
    pathPrefix: '',
    stripPathPrefix: false,
    enableWebsocket: false,
    plugins: readPlugins(plugins),
    upstream: upstream === undefined ? undefined : readUpstream(upstream),
    stream: streamTransportOf(upstream ?? {}),
  };
}

/** Reads a stored stream route, as `readService` does. @throws PortcullisError `internal` with all faults in its detail */
export function readStreamRoute(value: JsonObject): StreamRoute {
  const route = readDocument('stream route', matchStreamRoute, checkStreamRoute, value);
  return {
    name: route.name,
    enabled: route.status !== 0,
    serviceId: route.service_id,
    serverAddress: route.server_addr === undefined ? undefined : (canonicalAddress(route.server_addr) ?? route.server_addr),
    serverPort: route.server_port,
    remoteAddress: route.remote_addr,
    serverName: route.sni?.toLowerCase(),
    plugins: readPlugins(route.plugins),
  };
}

/** Reads a stored upstream of a service, as `readService` does. @throws PortcullisError `internal` with all faults in its detail */
export function readServiceUpstream(value: JsonObject): EffectiveUpstream {
  return readUpstream(readDocument('upstream', matchUpstream, checkFurtherUpstream, value));
}

/** Reads a stored route, as `readService` does. @throws PortcullisError `internal` with all faults in its detail */
export function readRoute(value: JsonObject): Route {
  const route = readDocument('route', matchRoute, checkRoute, value);
  return {
    name: route.name,
    enabled: route.status !== 0,
    serviceId: route.service_id,
    paths: route.paths,
    methods: route.methods,
    vars: route.vars ?? [],
    remoteAddresses: route.remote_addrs ?? (route.remote_addr === undefined ? [] : [route.remote_addr]),
    priority: route.priority ?? 0,
    timeouts: route.timeout === undefined ? undefined : readTimeouts(route.timeout),
    enableWebsocket: route.enable_websocket ?? undefined,
    plugins: readPlugins(route.plugins),
  };
}

/** Reads what a snapshot tells of a consumer; its name stands beside the value. Cheap, because there can be millions. */
export function readConsumer(value: JsonObject): Consumer {
  const labels = readLabels(Object.hasOwn(value, 'labels') ? value.labels : undefined);
  const customId = labels.get('custom_id');
  const plugins = Object.hasOwn(value, 'plugins') ? value.plugins : undefined;
  return {
    customId: customId === '' ? undefined : customId,
    labels,
    plugins: readPlugins(isJsonObject(plugins) ? plugins : undefined),
  };
}

function readDocument<Document>(
  kind: string,
  match: Validator<Document>,
  check: (document: Document) => readonly Issue[],
  value: JsonObject,
): Document {
  const matched = match(value);
  const issues = matched.ok ? check(matched.value) : matched.issues;
  if (matched.ok && issues.length === 0) return matched.value;
  throw new PortcullisError('internal', { detail: `this version cannot serve the ${kind}: ${formatIssues(issues)}` });
}

function readLabels(labels: JsonValue | undefined): ReadonlyMap<string, string> {
  if (!isJsonObject(labels)) return NO_LABELS;
  return new Map(Object.entries(labels).filter((label): label is [string, string] => typeof label[1] === 'string'));
}

const NO_LABELS: ReadonlyMap<string, string> = new Map();

function readPlugins(plugins: Readonly<Record<string, JsonValue>> | undefined): PluginConfigurations {
  return new Map(Object.entries(plugins ?? {}));
}
