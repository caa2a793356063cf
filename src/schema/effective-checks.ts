import type { HealthChecksDocument, ProbeMethod } from './health-checks.ts';
import { timerMs } from './timer-ms.ts';

/** How many reports in a row of one kind change what a node is taken for. 0: reports of this kind change nothing. */
export interface HealthThresholds {
  readonly successes: number;
  readonly httpFailures: number;
  readonly tcpFailures: number;
  readonly timeouts: number;
}

/** What is common to both kinds of checks. */
export interface CheckRules extends HealthThresholds {
  readonly kind: 'http' | 'https' | 'tcp';
  /** Statuses in neither list say nothing. */
  readonly healthyStatuses: readonly number[];
  readonly unhealthyStatuses: readonly number[];
}

/** Checks that the gateway makes by requests of its own. */
export interface ActiveChecks extends CheckRules {
  readonly timeoutMs: number;
  /** Checks of one upstream at once. */
  readonly concurrency: number;
  /** The value of Host, and with `https` the name in the certificate; undefined: the node's. */
  readonly host: string | undefined;
  /** The port that is asked; undefined: the node's. */
  readonly port: number | undefined;
  readonly method: ProbeMethod;
  /** Path and query. */
  readonly path: string;
  /** Sent with each check; empty: none. */
  readonly body: string;
  readonly verifyCertificate: boolean;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Between two checks of a node that is taken for healthy, … */
  readonly healthyIntervalMs: number;
  /** … and of one that is not. */
  readonly unhealthyIntervalMs: number;
}

/** Checks of an upstream with every default in place. */
export interface EffectiveChecks {
  readonly active: ActiveChecks;
  /** What clients' requests tell; undefined: nothing. */
  readonly passive: CheckRules | undefined;
}

const PASSIVE_HEALTHY_STATUSES = [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308];

/** Reads checks that their schema has accepted, `active` among them. Defaults are API7's. */
export function readHealthChecks({ active = {}, passive }: HealthChecksDocument): EffectiveChecks {
  const { healthy = {}, unhealthy = {} } = active;
  return {
    active: {
      kind: active.type ?? 'http',
      timeoutMs: timerMs(active.timeout ?? 1),
      concurrency: active.concurrency ?? 10,
      host: active.host,
      port: active.port,
      method: active.http_method ?? 'GET',
      path: active.http_path ?? '/',
      body: active.http_req_body ?? '',
      verifyCertificate: active.https_verify_certificate ?? true,
      headers: (active.req_headers ?? []).map(splitHeaderLine),
      healthyIntervalMs: timerMs(healthy.interval ?? 1),
      unhealthyIntervalMs: timerMs(unhealthy.interval ?? 1),
      healthyStatuses: healthy.http_statuses ?? [200, 302],
      unhealthyStatuses: unhealthy.http_statuses ?? [429, 404, 500, 501, 502, 503, 504, 505],
      successes: healthy.successes ?? 2,
      httpFailures: unhealthy.http_failures ?? 5,
      tcpFailures: unhealthy.tcp_failures ?? 2,
      timeouts: unhealthy.timeouts ?? 3,
    },
    passive: passive === undefined ? undefined : readPassive(passive),
  };
}

function readPassive({ type, healthy = {}, unhealthy = {} }: NonNullable<HealthChecksDocument['passive']>): CheckRules {
  return {
    kind: type ?? 'http',
    healthyStatuses: healthy.http_statuses ?? PASSIVE_HEALTHY_STATUSES,
    unhealthyStatuses: unhealthy.http_statuses ?? [429, 500, 503],
    successes: healthy.successes ?? 5,
    httpFailures: unhealthy.http_failures ?? 5,
    tcpFailures: unhealthy.tcp_failures ?? 2,
    timeouts: unhealthy.timeouts ?? 7,
  };
}

/** `Name: value` at its first colon, without blanks around the value. */
export function splitHeaderLine(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  return colon === -1 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}
