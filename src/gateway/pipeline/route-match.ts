import type { ClientConnection, RequestHead } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { ownBytes } from '../../lib/own-bytes.ts';
import type { MatchedRoute } from '../../plugin-kit/index.ts';
import { isPlainPath, normalisePath, stripPathPrefix } from '../paths/index.ts';
import { hostOfHeader, methodBit, type RoutableRequest } from '../router/index.ts';
import type { ConsumerPlugins, HeldChain, RuntimeRoute } from '../runtime/index.ts';
import type { ClientPolicy } from '../tls/index.ts';
import { logField } from './log-field.ts';

/** A route that a request may take, with what depends on route and path only. */
export interface RouteCandidate {
  readonly route: RuntimeRoute;
  /** The path that the upstream gets, a byte string; undefined for the client's own bytes. */
  readonly newPath: string | undefined;
  readonly newPathBytes: Buffer | undefined;
  /** As plugins see the route. */
  readonly matched: MatchedRoute;
  /** `,"route":…,"service":…` for the access log. */
  readonly logText: Buffer;
}

/**
 * Where listener, host, raw path and method lead: everything about a request that is the same for all requests which have these in
 * common, so that it is worked out once and kept.
 */
export interface RouteMatch {
  readonly method: string;
  /** Normalised, for plugins; `''` where it cannot be read. */
  readonly path: string;
  /** The same with encoded separators read as separators, where it has any. */
  readonly separatorPath: string | undefined;
  /** In order of decision; empty where `failure` says why. */
  readonly candidates: readonly RouteCandidate[];
  readonly failure: ErrorReason | undefined;
  /** Which clients are let in where the host is served with TLS; undefined: anybody, and on a connection in clear. */
  readonly clientPolicy: ClientPolicy | undefined;
  /** What an upstream is told of the client's side: `X-Forwarded-Proto`, `-Host` and `-Port` as complete lines. */
  readonly forwardedLines: Buffer;
  /** `,"method":…,"path":…` for the access log: the path as sent, without the query. */
  readonly logText: Buffer;
}

/** The routes in force. */
export interface RouteSource {
  /** The plugins of the global rules. */
  readonly globals: HeldChain;
  /** A consumer's own plugins, by the text that the tables keep of them. @throws CompileError when this version cannot serve them */
  pluginsOfConsumer(username: string, text: string): ConsumerPlugins;
  /** Another number after each change of what `candidates` says. */
  readonly generation: number;
  candidates(request: RoutableRequest): readonly RuntimeRoute[];
  /** Which clients the TLS host that a name belongs to lets in; undefined where that is anybody. */
  clientPolicyOf(host: string): ClientPolicy | undefined;
}

/** Works a match out. */
export function matchRoute(routes: RouteSource, head: RequestHead, connection: ClientConnection): RouteMatch {
  const method = head.bytes.toString('latin1', head.methodStart, head.methodEnd);
  const rawPath = head.bytes.toString('latin1', head.targetStart, head.queryStart);
  const host = hostOfHeader(head.bytes, head.hostStart, head.hostEnd);
  const found = findCandidates(routes, rawPath, host, methodBit(method));
  const failure = typeof found === 'string' ? found : undefined;
  const lines = forwardedLines(head, connection);
  const texts = ownBytes(lines + logField('method', method) + logField('path', rawPath));
  return {
    method,
    path: typeof found === 'string' ? unmatchedPath(rawPath) : found.path,
    separatorPath: typeof found === 'string' ? undefined : found.separatorPath,
    candidates: typeof found === 'string' ? [] : found.routes.map((route) => candidateOf(route, found, host)),
    failure,
    clientPolicy: connection.encrypted ? routes.clientPolicyOf(host) : undefined,
    forwardedLines: texts.subarray(0, lines.length),
    logText: texts.subarray(lines.length),
  };
}

interface FoundRoutes {
  readonly routes: readonly RuntimeRoute[];
  readonly path: string;
  readonly separatorPath: string | undefined;
  readonly forwardPath: string;
  /** The upstream must not get the client's bytes. */
  readonly rewritten: boolean;
}

function findCandidates(routes: RouteSource, rawPath: string, host: string, method: number): FoundRoutes | ErrorReason {
  // `OPTIONS *`, empty in absolute-form, speaks of the server as a whole (RFC 9110 §9.3.7), which no route stands for.
  if (rawPath === '*' || rawPath === '') return 'route_not_found';
  if (isPlainPath(rawPath)) {
    const plain = routes.candidates({ host, path: rawPath, method });
    return plain.length === 0
      ? 'route_not_found'
      : { routes: plain, path: rawPath, separatorPath: undefined, forwardPath: rawPath, rewritten: false };
  }
  const normalised = normalisePath(rawPath);
  if (normalised.kind === 'refused') return normalised.reason;
  const { path, separatorPath, forwardPath } = normalised;
  const found = routes.candidates({ host, path, method });
  if (separatorPath !== undefined && !isSameList(found, routes.candidates({ host, path: separatorPath, method }))) return 'ambiguous_path';
  if (found.length === 0) return 'route_not_found';
  return { routes: found, path, separatorPath, forwardPath, rewritten: normalised.forward === 'normalised' };
}

/** What global rules see as the path of a request that no route takes. */
function unmatchedPath(rawPath: string): string {
  if (rawPath === '*' || rawPath === '' || isPlainPath(rawPath)) return rawPath;
  const normalised = normalisePath(rawPath);
  return normalised.kind === 'refused' ? '' : normalised.path;
}

function isSameList(one: readonly RuntimeRoute[], other: readonly RuntimeRoute[]): boolean {
  return one.length === other.length && one.every((route, index) => route === other[index]);
}

function candidateOf(route: RuntimeRoute, found: FoundRoutes, host: string): RouteCandidate {
  const path = route.strippedPrefix === '' ? found.forwardPath : stripPathPrefix(found.forwardPath, route.strippedPrefix);
  const newPath = path === found.forwardPath && !found.rewritten ? undefined : path;
  return {
    route,
    newPath,
    newPathBytes: newPath === undefined ? undefined : ownBytes(newPath),
    matched: matchedRoute(route, found.path, host),
    logText: routeLogText(route),
  };
}

function matchedRoute(route: RuntimeRoute, path: string, host: string): MatchedRoute {
  const { id, name, serviceId, serviceName } = route;
  return { id, name, serviceId, serviceName, pattern: pathPatternOf(route.paths, path), hostPattern: hostPatternOf(route.hosts, host) };
}

/** The pattern that decides, as in the router: the exact one, or else the longest that is open at its end. */
function pathPatternOf(patterns: readonly string[], path: string): string {
  if (patterns.includes(path)) return path;
  const open = patterns.filter((pattern) => pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
  return open.reduce((longest, pattern) => (pattern.length > longest.length ? pattern : longest), '');
}

function hostPatternOf(patterns: readonly string[], host: string): string {
  if (patterns.includes(host)) return host;
  const open = patterns.filter((pattern) => pattern.startsWith('*') && host.endsWith(pattern.slice(1)));
  return open.reduce((longest, pattern) => (pattern.length > longest.length ? pattern : longest), '');
}

/** Made once for each route: a cache of paths would hold it thousands of times. */
const routeLogTexts = new WeakMap<RuntimeRoute, Buffer>();

function routeLogText(route: RuntimeRoute): Buffer {
  let text = routeLogTexts.get(route);
  if (text === undefined) {
    text = ownBytes(logField('route', route.id) + logField('service', route.serviceId));
    routeLogTexts.set(route, text);
  }
  return text;
}

/** As the gateway itself saw it (APISIX: host with its port, the port of the Host or else the listener's). */
function forwardedLines(head: RequestHead, connection: ClientConnection): string {
  const host = head.bytes.toString('latin1', head.hostStart, head.hostEnd);
  const port = /:(\d+)$/.exec(host)?.[1] ?? connection.localPort;
  const hostLine = host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`;
  return `X-Forwarded-Proto: ${connection.encrypted ? 'https' : 'http'}\r\n${hostLine}X-Forwarded-Port: ${port}\r\n`;
}
