import type { Exchange } from '../../engine/index.ts';
import { ERROR_CODES } from '../../errors/index.ts';
import { quoted } from './quoted.ts';

/** What the gateway knows of a request beyond what the engine measured. All texts may come from clients; they are escaped here. */
export interface AccessFacts {
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly revision: number;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly routeId: string | undefined;
  readonly serviceId: string | undefined;
  readonly consumer: string | undefined;
  readonly credentialId: string | undefined;
  /** Monotonic milliseconds at which the first plugin started; 0 when none did. */
  readonly pluginsStartedAtMs: number;
}

/** Longest text of a client that stands in a line. */
const MAX_TEXT = 1024;

/**
 * One line of the access log: a JSON object in printable ASCII, without a newline. Absent facts are left out. Times are in
 * milliseconds since the request's first byte, so that they can be compared without arithmetic over fields.
 */
export function accessLine(exchange: Exchange, facts: AccessFacts, nowMs: number): string {
  let line = `{"request_id":"${facts.requestId}","time":"${new Date(nowMs).toISOString()}","revision":${facts.revision}`;
  line += text('client_request_id', facts.clientRequestId);
  line += text('client', exchange.connection.remoteAddress);
  line += text('method', facts.method) + text('path', facts.path);
  line += `,"status":${exchange.status}`;
  line += text('route', facts.routeId) + text('service', facts.serviceId);
  line += text('consumer', facts.consumer) + text('credential', facts.credentialId);
  if (exchange.upstream !== undefined) line += text('node', nodeText(exchange.upstream.address, exchange.upstream.port));
  if (exchange.upstreamStatus !== 0) line += `,"upstream_status":${exchange.upstreamStatus}`;
  line += `,"attempts":${exchange.attempts},"bytes_in":${exchange.bytesFromClient},"bytes_out":${exchange.bytesToClient}`;
  line += times(exchange, facts.pluginsStartedAtMs);
  if (exchange.reason !== undefined) line += `,"reason":"${exchange.reason}","source":"${ERROR_CODES[exchange.reason].source}"`;
  return `${line}}`;
}

function text(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `,"${name}":${quoted(value, MAX_TEXT)}`;
}

function nodeText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function times(exchange: Exchange, pluginsStartedAtMs: number): string {
  const start = exchange.startedAtMs;
  let line = time('head_ms', start, exchange.headReadAtMs);
  if (pluginsStartedAtMs !== 0) line += time('plugins_ms', pluginsStartedAtMs, exchange.decidedAtMs);
  if (exchange.decidedAtMs !== 0) line += time('connect_ms', exchange.decidedAtMs, exchange.connectedAtMs);
  return line + time('first_byte_ms', start, exchange.firstByteAtMs) + time('total_ms', start, exchange.finishedAtMs);
}

function time(name: string, fromMs: number, toMs: number): string {
  if (toMs === 0) return '';
  return `,"${name}":${Math.max(0, Math.round((toMs - fromMs) * 1000) / 1000)}`;
}
