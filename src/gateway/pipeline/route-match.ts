import type { ClientConnection, RequestHead } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import { ownBytes } from '../../lib/own-bytes.ts';
import { isPlainPath, normalisePath } from '../paths/index.ts';
import { hostOfHeader, methodBit, type RoutableRequest, type TakePlace } from '../router/index.ts';
import { BODY_USE, type ConsumerPlugins, type HeldChain, type RuntimeRoute } from '../runtime/index.ts';
import type { ClientPolicy } from '../tls/index.ts';
import { logField } from './log-field.ts';
import { type PathReading, RouteCandidate } from './route-candidate.ts';

/** The routes that one reading of a path may take. */
export interface FoundRoutes {
  readonly request: RoutableRequest;
  readonly reading: PathReading;
  /** In order of decision, as many as are kept. Only the last one may be without conditions. */
  readonly candidates: readonly RouteCandidate[];
  /** There are more candidates than are kept. */
  readonly hasMore: boolean;
  /** Which variables of the body the conditions of those need (see `BODY_USE`). */
  readonly bodyUseOfMore: number;
}

/**
 * Where listener, host, raw path and method lead: everything about a request that is the same for all requests which have these in
 * common, so that it is worked out once and kept.
 */
export interface RouteMatch extends FoundRoutes {
  readonly method: string;
  /** Normalised, for plugins; `''` where it cannot be read. */
  readonly path: string;
  /** The same with encoded separators read as separators, where it has any. */
  readonly separatorPath: string | undefined;
  /** Which clients are let in where the host is served with TLS; undefined: anybody, and on a connection in clear. */
  readonly clientPolicy: ClientPolicy | undefined;
  /** Undefined where there are candidates: where none takes the request, its reason is `route_not_found`. */
  readonly failure: ErrorReason | undefined;
  /** False: the first candidate takes the request. */
  readonly isConditional: boolean;
  /** With encoded slashes read as separators, where only conditions tell whether that leads to the same route. */
  readonly asSeparators: RouteMatch | undefined;
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
  /** Another number after each change of what `visit` shows. */
  readonly generation: number;
  /** As `Router.visit`. */
  visit(request: RoutableRequest, take: TakePlace<RuntimeRoute>): void;
  /** Which clients the TLS host that a name belongs to lets in; undefined where that is anybody. */
  clientPolicyOf(host: string): ClientPolicy | undefined;
}

/** Candidates that a match keeps: more than this many routes with conditions for one path are looked for anew by every request. */
const MAX_KEPT_CANDIDATES = 16;
const NO_CANDIDATES: readonly RouteCandidate[] = [];

/** Works a match out. */
export function matchRoute(routes: RouteSource, head: RequestHead, connection: ClientConnection): RouteMatch {
  const method = head.bytes.toString('latin1', head.methodStart, head.methodEnd);
  const rawPath = head.bytes.toString('latin1', head.targetStart, head.queryStart);
  const host = hostOfHeader(head.bytes, head.hostStart, head.hostEnd);
  const lines = forwardedLines(head, connection);
  const texts = ownBytes(lines + logField('method', method) + logField('path', rawPath));
  const found = findRoutes(routes, rawPath, { host, method: methodBit(method) });
  return {
    ...found,
    method,
    clientPolicy: connection.encrypted ? routes.clientPolicyOf(host) : undefined,
    asSeparators: found.other && { ...found.other, method, ...OF_THE_MATCH_ALONE },
    forwardedLines: texts.subarray(0, lines.length),
    logText: texts.subarray(lines.length),
  };
}

const OF_THE_MATCH_ALONE = {
  separatorPath: undefined,
  clientPolicy: undefined,
  asSeparators: undefined,
  forwardedLines: Buffer.alloc(0),
  logText: Buffer.alloc(0),
};

type Outcome = Pick<RouteMatch, keyof FoundRoutes | 'path' | 'failure' | 'isConditional'>;

interface BothOutcomes extends Outcome {
  readonly separatorPath: string | undefined;
  readonly other: Outcome | undefined;
}

type Beside = Pick<RoutableRequest, 'host' | 'method'>;

function findRoutes(routes: RouteSource, rawPath: string, beside: Beside): BothOutcomes {
  if (isOfServer(rawPath)) return noRoutes(rawPath, beside, 'route_not_found');
  if (isPlainPath(rawPath)) {
    const reading = { path: rawPath, forwardPath: rawPath, isRewritten: false };
    return { ...outcomeOf(collect(routes, reading, beside)), separatorPath: undefined, other: undefined };
  }
  const normalised = normalisePath(rawPath);
  if (normalised.kind === 'refused') return noRoutes('', beside, normalised.reason);
  const { path, separatorPath, forwardPath } = normalised;
  const isRewritten = normalised.forward === 'normalised';
  const asData = outcomeOf(collect(routes, { path, forwardPath, isRewritten }, beside));
  if (separatorPath === undefined) return { ...asData, separatorPath, other: undefined };
  const asSeparators = outcomeOf(collect(routes, { path: separatorPath, forwardPath, isRewritten }, beside));
  if (asData.isConditional || asSeparators.isConditional) return { ...asData, separatorPath, isConditional: true, other: asSeparators };
  return isSameWay(asData.candidates[0], asSeparators.candidates[0])
    ? { ...asData, separatorPath, other: undefined }
    : noRoutes(path, beside, 'ambiguous_path');
}

/** `OPTIONS *`, empty in absolute-form, speaks of the server as a whole (RFC 9110 §9.3.7), which no route stands for. */
function isOfServer(rawPath: string): boolean {
  return rawPath === '*' || rawPath === '';
}

/** Whether a match without a route is that of a question about the server as a whole. */
export function asksOfServer({ failure, path }: RouteMatch): boolean {
  return failure === 'route_not_found' && isOfServer(path);
}

/** Whether both readings of a path lead to the same. */
export function isSameWay(one: RouteCandidate | undefined, other: RouteCandidate | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.isSameWay(other);
}

function collect(routes: RouteSource, reading: PathReading, { host, method }: Beside): FoundRoutes {
  const request = { host, path: reading.path, method };
  const candidates: RouteCandidate[] = [];
  let hasMore = false;
  let bodyUseOfMore: number = BODY_USE.none;
  routes.visit(request, (place) => {
    if (candidates.length < MAX_KEPT_CANDIDATES) candidates.push(new RouteCandidate(place, reading));
    else {
      hasMore = true;
      bodyUseOfMore |= place.route.value.conditions?.bodyUse ?? BODY_USE.none;
    }
    return !place.route.conditional;
  });
  return { request, reading, candidates, hasMore, bodyUseOfMore };
}

function outcomeOf(found: FoundRoutes): Outcome {
  const [first] = found.candidates;
  const failure = first === undefined ? 'route_not_found' : undefined;
  return { ...found, path: found.reading.path, failure, isConditional: first?.route.conditions !== undefined };
}

function noRoutes(path: string, { host, method }: Beside, failure: ErrorReason): BothOutcomes {
  const reading = { path, forwardPath: path, isRewritten: false };
  const found = { request: { host, path, method }, reading, candidates: NO_CANDIDATES, hasMore: false, bodyUseOfMore: BODY_USE.none };
  return { ...found, path, failure, separatorPath: undefined, isConditional: false, other: undefined };
}

/** As the gateway itself saw it (APISIX: host with its port, the port of the Host or else the listener's). */
function forwardedLines(head: RequestHead, connection: ClientConnection): string {
  const host = head.bytes.toString('latin1', head.hostStart, head.hostEnd);
  const port = /:(\d+)$/.exec(host)?.[1] ?? connection.localPort;
  const hostLine = host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`;
  return `X-Forwarded-Proto: ${connection.encrypted ? 'https' : 'http'}\r\n${hostLine}X-Forwarded-Port: ${port}\r\n`;
}
