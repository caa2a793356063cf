import type { StreamFacts, UpstreamTarget } from '../../engine/index.ts';
import { ERROR_CODES } from '../../errors/index.ts';
import { logField } from '../pipeline/index.ts';
import type { RuntimeStreamRoute } from '../runtime/index.ts';

/** What stands in a line of the access log. */
export interface StreamLineFacts {
  readonly id: string;
  readonly revision: number;
  /** Wall-clock milliseconds at the end. */
  readonly nowMs: number;
  readonly route: RuntimeStreamRoute | undefined;
  readonly facts: StreamFacts;
}

/**
 * One line of the access log for a connection that is over: a JSON object in printable ASCII. `protocol` is there on these lines alone. Times are
 * in milliseconds since the client connected, or sent its first datagram; absent facts are left out.
 */
export function streamLine({ id, revision, nowMs, route, facts }: StreamLineFacts): string {
  const { client, protocol, target, attempts, bytesFromClient, bytesToClient, reason, startedAtMs, decidedAtMs } = facts;
  const since = (fromMs: number, toMs: number, name: string): string =>
    toMs === 0 ? '' : `,"${name}":${Math.max(0, Math.round((toMs - fromMs) * 1000) / 1000)}`;
  return [
    `{"request_id":"${id}","time":"${new Date(nowMs).toISOString()}","revision":${revision}`,
    logField('client', client.remoteAddress),
    `,"client_port":${client.remotePort},"protocol":"${protocol}","server_port":${client.localPort}`,
    route === undefined ? '' : logField('stream_route', route.id) + logField('service', route.serviceId),
    target === undefined ? '' : logField('node', nodeOf(target)),
    `,"attempts":${attempts},"bytes_in":${bytesFromClient},"bytes_out":${bytesToClient}`,
    since(startedAtMs, decidedAtMs, 'plugins_ms'),
    decidedAtMs === 0 ? '' : since(decidedAtMs, facts.connectedAtMs, 'connect_ms'),
    since(startedAtMs, facts.firstByteAtMs, 'first_byte_ms'),
    since(startedAtMs, facts.finishedAtMs, 'total_ms'),
    reason === undefined ? '' : `,"reason":"${reason}","source":"${ERROR_CODES[reason].source}"`,
    '}',
  ].join('');
}

function nodeOf({ address, port }: UpstreamTarget): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
