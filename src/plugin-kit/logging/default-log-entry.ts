import type { JsonValue } from '../../lib/json.ts';
import type { LogView } from '../log-view.ts';
import { emptyMembers, type LateText, type LogMembers } from './compile-log-format.ts';
import { textOfByteString } from './text-of-byte-string.ts';

/** What an entry says of the gateway. */
export interface LogServer {
  readonly hostName: string;
  readonly version: string;
}

/** Texts of bodies; undefined where they are not to be logged. */
export interface BodyTexts {
  readonly request: string | undefined;
  readonly response: string | LateText | undefined;
}

/** As many header fields as nginx gives Lua code. */
const MAX_HEADERS = 100;

/** The entry of a logger without a format (APISIX, `log-util.get_full_log`). Times are milliseconds. */
export function defaultLogEntry(request: LogView, server: LogServer, bodies: BodyTexts): LogMembers {
  const uri = textOfByteString(String(request.variable('request_uri') ?? ''));
  const upstream = request.upstreamAddress;
  const { route, consumer } = request;
  return {
    request: {
      url: `${request.scheme}://${textOfByteString(request.host)}${portText(request)}${uri}`,
      uri,
      method: request.method,
      headers: headersOf(request.headerNames(), (name) => request.headerValues(name)),
      querystring: queryOf(request),
      size: request.bytesFromClient,
      ...(bodies.request === undefined ? {} : { body: bodies.request }),
    },
    response: {
      status: request.status,
      headers: headersOf(request.responseHeaderNames(), (name) => [request.responseHeader(name) ?? '']),
      size: request.bytesToClient,
      ...(bodies.response === undefined ? {} : { body: bodies.response }),
    },
    server: { hostname: server.hostName, version: server.version },
    ...(upstream === undefined ? {} : { upstream }),
    service_id: route === undefined ? textOfByteString(request.host) : route.serviceId,
    ...(route === undefined ? {} : { route_id: route.id }),
    ...(consumer === undefined ? {} : { consumer: { username: consumer.username } }),
    client_ip: request.remoteAddress,
    start_time: Math.round(request.startedAtMs),
    ...latencies(request),
  };
}

function portText(request: LogView): string {
  const port = request.variable('server_port');
  return typeof port === 'string' || typeof port === 'number' ? `:${port}` : '';
}

function headersOf(names: readonly string[], valuesOf: (name: string) => readonly string[]): LogMembers {
  const headers = emptyMembers();
  for (const name of names.slice(0, MAX_HEADERS)) headers[textOfByteString(name)] = oneOrAll(valuesOf(name).map(textOfByteString));
  return headers;
}

function queryOf(request: LogView): LogMembers {
  const query = emptyMembers();
  for (const { name, value } of request.queryPairs()) {
    const key = textOfByteString(name);
    // A name alone is `true`, as `ngx.req.get_uri_args` has it.
    const added = value === undefined ? true : textOfByteString(value);
    const known = query[key];
    query[key] = known === undefined ? added : [...(Array.isArray(known) ? known : [known]), added];
  }
  return query;
}

function oneOrAll(values: readonly string[]): JsonValue {
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}

function latencies(request: LogView): Readonly<Record<string, number>> {
  const latency = microseconds(request.finishedAtMs - request.headReadAtMs);
  if (request.upstreamAddress === undefined || request.decidedAtMs === 0) return { latency, apisix_latency: latency };
  const upstream = microseconds(request.finishedAtMs - request.decidedAtMs);
  return { latency, upstream_latency: upstream, apisix_latency: microseconds(latency - upstream) };
}

/** To a thousandth of a millisecond: what stands behind is noise of the clock. */
function microseconds(durationMs: number): number {
  return Math.max(0, Math.round(durationMs * 1000) / 1000);
}
