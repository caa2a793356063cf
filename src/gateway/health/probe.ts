import { type ClientRequest, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { connect, isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../lib/clock.ts';
import { nodeTls } from '../../lib/node-tls.ts';
import type { ActiveChecks } from '../../schema/index.ts';
import type { HealthReport } from './node-health.ts';

/** Whom a probe asks. */
export interface ProbeTarget {
  /** An address, resolved and allowed. */
  readonly address: string;
  readonly port: number;
  /** The value of Host. */
  readonly host: string;
  /** As whom the gateway shows itself over TLS, and whom it believes; absent: as nobody, and the usual authorities. */
  readonly secureContext?: SecureContext | undefined;
}

/** A probe under way. */
export interface Probe {
  /** Undefined: the answer says nothing, or the probe was ended before it had one. Never rejects. */
  readonly outcome: Promise<HealthReport | undefined>;
  end(): void;
}

const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);
/** Methods whose requests say that there is no body, too (RFC 9110 §8.6). */
const EXPECTS_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** How a probe tells its one outcome. */
type Tell = (outcome: HealthReport | undefined) => void;

/** Asks a node once, on a connection of its own, and reads no further than the head of its answer. */
export function startProbe(checks: ActiveChecks, target: ProbeTarget, clock: Clock): Probe {
  let tell: Tell = () => {};
  const outcome = new Promise<HealthReport | undefined>((resolve) => {
    tell = resolve;
  });
  const stop = checks.kind === 'tcp' ? probeConnection(target, tell) : probeAnswer(checks, target, tell);
  const cancelTimeout = clock.schedule(checks.timeoutMs, () => {
    tell('timeout_failure');
    stop();
  });
  void outcome.then(() => {
    cancelTimeout();
    stop();
  });
  return { outcome, end: () => tell(undefined) };
}

function probeConnection({ address, port }: ProbeTarget, tell: Tell): () => void {
  const socket = connect({ host: address, port });
  socket.on('connect', () => tell('success'));
  socket.on('error', () => tell('tcp_failure'));
  return () => void socket.destroy();
}

function probeAnswer(checks: ActiveChecks, target: ProbeTarget, tell: Tell): () => void {
  let request: ClientRequest;
  try {
    request = openRequest(checks, target);
  } catch {
    // A name or value that the configuration was allowed to have and node is not willing to send.
    tell('http_failure');
    return () => {};
  }
  const read = (status: number | undefined): void => tell(reportOfStatus(checks, status ?? 0));
  request.on('response', (response) => read(response.statusCode));
  request.on('upgrade', (response, socket) => {
    read(response.statusCode);
    socket.destroy();
  });
  request.on('error', (error) => tell(isMalformed(error) ? 'http_failure' : 'tcp_failure'));
  request.end(checks.body);
  return () => void request.destroy();
}

function openRequest(checks: ActiveChecks, { address, port, host, secureContext }: ProbeTarget): ClientRequest {
  const options: RequestOptions = {
    host: address,
    port,
    method: checks.method,
    path: checks.path,
    headers: headersOf(checks, host).flat(),
    setHost: false,
    agent: false,
  };
  if (checks.kind !== 'https') return requestPlain(options);
  nodeTls();
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return requestSecure({
    ...options,
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: checks.verifyCertificate,
    ...(secureContext === undefined ? {} : { secureContext }),
  });
}

/** Who asks, and whom, may be said otherwise; how the body is framed and that the connection ends may not. A second Host would be refused. */
function headersOf({ headers, method, body }: ActiveChecks, host: string): readonly (readonly [name: string, value: string])[] {
  const isNamed = (name: string): boolean => headers.some(([other]) => other.toLowerCase() === name);
  const length = Buffer.byteLength(body);
  return [
    ...(isNamed('host') ? [] : [['Host', host] as const]),
    ...(isNamed('user-agent') ? [] : [['User-Agent', 'Portcullis/healthcheck'] as const]),
    ...headers.filter(([name]) => !FRAMING.has(name.toLowerCase())),
    ...(length > 0 || EXPECTS_BODY.has(method) ? [['Content-Length', String(length)] as const] : []),
    ['Connection', 'close'],
  ];
}

/** What a status says by the lists; nothing where it is in neither. */
function reportOfStatus({ healthyStatuses, unhealthyStatuses }: ActiveChecks, status: number): HealthReport | undefined {
  if (healthyStatuses.includes(status)) return 'success';
  return status === 0 || unhealthyStatuses.includes(status) ? 'http_failure' : undefined;
}

/** The node speaks, but not HTTP. */
function isMalformed(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('HPE_');
}
