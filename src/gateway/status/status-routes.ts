import type { JsonObject } from '../../lib/json.ts';
import type { StatusAnswer, StatusHandler } from '../../observability/index.ts';
import type { FreshnessState } from '../freshness/index.ts';
import type { InstanceLoad } from '../limits/index.ts';
import type { TestFailure } from '../worker/worker-messages.ts';

/** What the status tells of a gateway. */
export interface GatewayStatus {
  /** The revision in force; undefined when there is none. */
  readonly revision: number | undefined;
  readonly workers: readonly string[];
  /** A thread waits that takes the place of a worker at once; without it a replacement takes as long as a thread's start. */
  readonly hasSpare: boolean;
  readonly draining: boolean;
  readonly load: InstanceLoad;
  readonly freshness: FreshnessState;
}

/** Where the status comes from. */
export interface StatusSource {
  status(): GatewayStatus;
  /** What the nodes of upstreams with health checks are taken for (see `healthView`). */
  health(): JsonObject[];
  /** Makes a worker fail on purpose; false when it has none. Absent where tests have no hooks. */
  readonly fail: ((worker: number, failure: TestFailure) => boolean) | undefined;
}

const TEST_FAILURES = ['throw', 'exhaust-heap', 'block', 'exit'] as const satisfies readonly TestFailure[];

/**
 * `GET /status` answers as long as the process makes progress; `GET /status/ready` is 200 when a configuration is in force, all
 * workers listen and nothing drains; `GET /v1/healthcheck` is APISIX's list of checked nodes. The fields `status` and `error` are API7's, the others are ours.
 */
export function statusRoutes(source: StatusSource): ReadonlyMap<string, StatusHandler> {
  const routes = new Map<string, StatusHandler>([
    ['GET /status', () => answerOk(source.status())],
    ['GET /status/ready', () => readiness(source.status())],
    ['GET /v1/healthcheck', () => ({ status: 200, body: source.health() })],
  ]);
  const { fail } = source;
  if (fail === undefined) return routes;
  for (const index of source.status().workers.keys()) {
    for (const failure of TEST_FAILURES) {
      routes.set(`POST /test/worker/${index}/${failure}`, () => {
        return fail(index, failure) ? { status: 202, body: { status: 'ok' } } : { status: 409, body: { error_msg: 'no such worker' } };
      });
    }
  }
  return routes;
}

/** Why a gateway is not ready; undefined when it is. */
export function reasonNotReady(status: GatewayStatus): string | undefined {
  if (status.draining) return 'the gateway is draining';
  if (status.revision === undefined) return 'no configuration is in force';
  const missing = status.workers.findIndex((state) => state !== 'listening');
  return missing === -1 ? undefined : `worker ${missing} is not listening`;
}

function readiness(status: GatewayStatus): StatusAnswer {
  const error = reasonNotReady(status) ?? (status.freshness.refusesRequests ? 'the configuration is too old' : undefined);
  if (error === undefined) return answerOk(status);
  return { status: 503, body: { status: 'error', error, ...details(status) } };
}

function answerOk(status: GatewayStatus): StatusAnswer {
  return { status: 200, body: { status: 'ok', ...details(status) } };
}

function details(status: GatewayStatus) {
  return {
    revision: status.revision ?? null,
    workers: status.workers.map((state, index) => ({ index, state })),
    spare: status.hasSpare,
    draining: status.draining,
    control_plane: controlPlaneDetails(status.freshness),
    ...loadDetails(status.load),
  };
}

function controlPlaneDetails({ isConnected, sinceContactMs, ageMs, lag, isTooOld }: FreshnessState) {
  return {
    connected: isConnected,
    last_contact_seconds: wholeSeconds(sinceContactMs),
    configuration_age_seconds: wholeSeconds(ageMs),
    lag: lag ?? null,
    too_old: isTooOld,
  };
}

function wholeSeconds(milliseconds: number | undefined): number | null {
  return milliseconds === undefined ? null : Math.floor(milliseconds / 1000);
}

function loadDetails({ limits, clientConnections, upstreamConnections, pausedWorkers, pauses, refused }: InstanceLoad) {
  return {
    connections: {
      client: { open: clientConnections, limit: limits.clientConnections, limit_per_address: limits.connectionsPerAddress },
      upstream: { open: upstreamConnections, limit: limits.upstreamConnections },
    },
    requests: { limit_per_service: limits.requestsPerService, limit_per_node: limits.requestsPerNode },
    accepting_paused: { workers: pausedWorkers, times: pauses },
    refused,
  };
}
