import { hostname } from 'node:os';
import type { VariableValue } from '../variable-value.ts';
import { pairsOfQuery } from './query-text.ts';
import type { TestRequest } from './test-request.ts';

/** Names with an ending of the user's own. */
const FAMILIES: ReadonlyArray<readonly [prefix: string, read: (request: TestRequest, rest: string) => VariableValue]> = [
  ['arg_', firstArgument],
  ['http_', (request, rest) => request.header(rest.toLowerCase().replaceAll('_', '-'))],
  ['cookie_', (request, rest) => request.cookie(rest)],
  ['sent_http_', (request, rest) => request.responseHeader(rest.toLowerCase().replaceAll('_', '-'))],
  ['upstream_http_', (request, rest) => request.responseHeader(rest.toLowerCase().replaceAll('_', '-'))],
];

const NAMES: ReadonlyMap<string, (request: TestRequest) => VariableValue> = new Map<string, (request: TestRequest) => VariableValue>([
  ['uri', (request) => request.path],
  ['request_uri', (request) => (request.query === '' ? request.path : `${request.path}?${request.query}`)],
  ['real_request_uri', (request) => request.rawTarget],
  ['args', (request) => nonEmpty(request.query)],
  ['query_string', (request) => nonEmpty(request.query)],
  ['is_args', (request) => (request.query === '' ? '' : '?')],
  ['method', (request) => request.method],
  ['request_method', (request) => request.method],
  ['request', (request) => `${request.method} ${request.rawTarget} HTTP/1.${request.minorVersion}`],
  ['request_line', (request) => `${request.method} ${request.rawTarget} HTTP/1.${request.minorVersion}`],
  ['request_id', (request) => request.requestId],
  ['apisix_request_id', (request) => request.requestId],
  ['request_length', (request) => request.bytesFromClient],
  ['request_type', () => 'traditional_http'],
  ['request_time', (request) => seconds(request.finishedAtMs - request.headReadAtMs)],
  ['host', (request) => nonEmpty(request.host)],
  ['hostname', () => hostname()],
  ['scheme', (request) => request.scheme],
  ['https', (request) => (request.scheme === 'https' ? 'on' : '')],
  ['server_protocol', (request) => `HTTP/1.${request.minorVersion}`],
  ['server_addr', (request) => request.serverAddress],
  ['server_port', (request) => request.serverPort],
  ['remote_addr', (request) => request.remoteAddress],
  ['remote_port', (request) => request.remotePort],
  ['realip_remote_addr', (request) => request.peerAddress],
  ['content_type', (request) => request.header('content-type')],
  ['content_length', (request) => request.header('content-length')],
  ['credential_id', (request) => request.consumer?.credentialId],
  ['consumer_name', (request) => request.consumer?.username],
  ['route_id', (request) => request.route?.id],
  ['route_name', (request) => request.route?.name],
  ['service_id', (request) => request.route?.serviceId],
  ['service_name', (request) => request.route?.serviceName],
  ['status', (request) => request.status],
  ['bytes_sent', (request) => request.bytesToClient],
  ['upstream_uri', (request) => request.upstreamTarget ?? request.rawTarget],
  ['upstream_host', (request) => request.upstreamHead().headers.find(([name]) => name.toLowerCase() === 'host')?.[1]],
  ['upstream_addr', (request) => request.upstreamAddress],
  ['upstream_status', (request) => (request.upstreamStatus === 0 ? undefined : request.upstreamStatus)],
  ['upstream_response_time', (request) => seconds(request.finishedAtMs - request.decidedAtMs)],
  ['balancer_ip', (request) => request.upstreamAddress?.replace(/:\d+$/, '')],
  ['balancer_port', (request) => portOf(request.upstreamAddress)],
  ['msec', (request) => seconds(request.startedAtMs)],
  ['time_iso8601', (request) => new Date(request.startedAtMs).toISOString().replace(/\.\d+Z$/, '+00:00')],
]);

/** A variable as the gateway gives it; undefined for unknown names and where the request has none. */
export function readVariable(request: TestRequest, name: string): VariableValue {
  const read = NAMES.get(name);
  if (read !== undefined) return read(request);
  const family = FAMILIES.find(([prefix]) => name.startsWith(prefix));
  return family?.[1](request, name.slice(family[0].length));
}

function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}

function nonEmpty(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function portOf(address: string | undefined): number | undefined {
  const port = address?.match(/:(\d+)$/)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The first value; empty for a name alone. */
function firstArgument(request: TestRequest, name: string): VariableValue {
  const pair = pairsOfQuery(request.query).find((each) => each.name === name);
  return pair === undefined ? undefined : (pair.value ?? '');
}
