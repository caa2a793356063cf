import { hostname } from 'node:os';
import type { VariableValue } from '../../plugin-kit/index.ts';
import { TLS_VARIABLE_NAMES, tlsVariable } from '../tls/index.ts';
import { findBasicUser } from './find-basic-user.ts';
import type { RequestContext } from './request-context.ts';

const ARGUMENT = 'arg_';
const HEADER = 'http_';
const COOKIE = 'cookie_';
const SENT_HEADER = 'sent_http_';
const UPSTREAM_HEADER = 'upstream_http_';
const POST_ARGUMENT = 'post_arg';
const GRAPHQL = 'graphql_';
const PATH_PARAMETER = 'uri_param_';
const HOST_NAME = hostname();

type ReadVariable = (request: RequestContext) => VariableValue;

/** Variables with fixed names (docs/reference/expressions.md); names are nginx's and APISIX's. */
const FIXED: ReadonlyMap<string, ReadVariable> = new Map<string, ReadVariable>([
  ['request_method', (request) => request.method],
  ['method', (request) => request.method],
  ['uri', (request) => request.path],
  ['request_uri', decodedTarget],
  ['real_request_uri', (request) => request.rawTarget],
  ['args', (request) => (request.query === '' ? undefined : request.query)],
  ['query_string', (request) => (request.query === '' ? undefined : request.query)],
  ['is_args', (request) => (request.query === '' ? '' : '?')],
  ['host', (request) => (request.host === '' ? undefined : request.host)],
  ['scheme', (request) => request.scheme],
  ['https', (request) => (request.scheme === 'https' ? 'on' : '')],
  ['server_protocol', protocolOf],
  ['request', (request) => `${request.method} ${request.rawTarget} ${protocolOf(request)}`],
  ['request_line', (request) => `${request.method} ${request.rawTarget} ${protocolOf(request)}`],
  ['remote_addr', (request) => request.remoteAddress],
  ['remote_port', (request) => request.remotePort],
  ['realip_remote_addr', (request) => request.exchange?.connection.remoteAddress],
  ['server_addr', (request) => request.exchange?.connection.localAddress()],
  ['server_name', () => '_'],
  ['hostname', () => HOST_NAME],
  ['remote_user', (request) => findBasicUser(request.header('authorization'))],
  ['server_port', (request) => request.localPort],
  ['request_id', (request) => request.requestId],
  ['apisix_request_id', (request) => request.requestId],
  ['content_type', (request) => request.header('content-type')],
  ['content_length', (request) => request.header('content-length')],
  ['request_length', (request) => request.exchange?.bytesFromClient],
  ['request_time', (request) => request.elapsedSeconds],
  ['msec', (request) => request.nowMs / 1000],
  ['time_iso8601', (request) => isoTime(request.nowMs)],
  ['time_local', (request) => localTime(request.nowMs)],
  ['pid', () => process.pid],
  ['connection_requests', (request) => (request.exchange?.connectionRequests ?? 0) + 1],
  ['consumer_name', (request) => request.consumer?.username],
  ['credential_id', (request) => request.consumer?.credentialId],
  ['route_id', (request) => request.route?.id],
  ['route_name', (request) => request.route?.name],
  ['service_id', (request) => request.route?.serviceId],
  ['service_name', (request) => request.route?.serviceName],
  ['upstream_uri', (request) => request.upstreamTarget ?? request.rawTarget],
  ['upstream_host', (request) => request.upstreamHostText],
  ['upstream_scheme', (request) => request.upstreamScheme],
  ['upstream_addr', (request) => request.upstreamAddress],
  ['balancer_ip', (request) => request.exchange?.upstream?.address],
  ['balancer_port', (request) => request.exchange?.upstream?.port],
  ['upstream_status', (request) => (request.upstreamStatus === 0 ? undefined : request.upstreamStatus)],
  ['upstream_response_time', (request) => request.upstreamSeconds],
  ['upstream_connect_time', (request) => request.connectSeconds],
  ['upstream_header_time', (request) => request.upstreamHeaderSeconds],
  ['status', (request) => request.currentStatus],
  ['bytes_sent', (request) => request.exchange?.bytesToClient],
  ['body_bytes_sent', (request) => request.exchange?.bodyBytesToClient],
  ['request_type', () => 'traditional_http'],
  ...TLS_VARIABLE_NAMES.map((name): [string, ReadVariable] => [name, (request) => tlsValue(request, name)]),
]);

/** As nginx names it. */
function protocolOf(request: RequestContext): string {
  return request.exchange?.connection.httpVersion === 2 ? 'HTTP/2.0' : `HTTP/1.${request.minorVersion}`;
}

/** The names that have a value of their own, for comparing them with those that are told to whoever writes configurations. */
export function fixedVariableNames(): readonly string[] {
  return [...FIXED.keys()];
}

/** The value of a variable by its name without `$`; undefined for an unknown name, and where the request has none. */
export function requestVariable(request: RequestContext, name: string): VariableValue {
  const fixed = FIXED.get(name);
  if (fixed !== undefined) return fixed(request);
  if (name.startsWith(ARGUMENT)) return firstArgument(request, name.slice(ARGUMENT.length));
  if (name.startsWith(HEADER)) return headerVariable(request, name.slice(HEADER.length));
  if (name.startsWith(COOKIE)) return request.cookie(name.slice(COOKIE.length));
  if (name.startsWith(PATH_PARAMETER)) return request.pathParameter(name.slice(PATH_PARAMETER.length));
  if (name.startsWith(SENT_HEADER)) return request.responseHeader(dashed(name.slice(SENT_HEADER.length)));
  if (name.startsWith(POST_ARGUMENT) || name.startsWith(GRAPHQL)) return request.bodyVariable(name);
  if (name.startsWith(UPSTREAM_HEADER)) return request.responseHeader(dashed(name.slice(UPSTREAM_HEADER.length)));
  return undefined;
}

function tlsValue({ exchange, nowMs }: RequestContext, name: string): VariableValue {
  const tls = exchange?.connection.tls;
  return tls === undefined ? undefined : tlsVariable(tls, name, nowMs);
}

/** The first value of an argument; empty for a name alone, as in nginx. */
function firstArgument(request: RequestContext, name: string): VariableValue {
  const pair = request.queryPairs().find((each) => each.name === name);
  return pair === undefined ? undefined : (pair.value ?? '');
}

/** `http_x_real_ip` is the header `X-Real-Ip`; one that was really sent with `_` is found under that name too. */
function headerVariable(request: RequestContext, name: string): VariableValue {
  return request.header(dashed(name)) ?? (name.includes('_') ? request.header(name) : undefined);
}

function dashed(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** APISIX's own form of the request target: the normalised, decoded path with the query as sent. */
function decodedTarget(request: RequestContext): string {
  return request.query === '' ? request.path : `${request.path}?${request.query}`;
}

function isoTime(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}+00:00`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function localTime(nowMs: number): string {
  const date = new Date(nowMs);
  const day = String(date.getUTCDate()).padStart(2, '0');
  return `${day}/${MONTHS[date.getUTCMonth()] ?? ''}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}
