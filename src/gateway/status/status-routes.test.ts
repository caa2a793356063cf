import assert from 'node:assert/strict';
import test from 'node:test';
import { type GatewayStatus, statusRoutes } from './status-routes.ts';

const ready: GatewayStatus = {
  revision: 3,
  workers: ['listening', 'listening'],
  hasSpare: true,
  draining: false,
  freshness: {
    isConnected: true,
    sinceContactMs: 0,
    ageMs: 1999,
    lag: 0,
    isTooOld: false,
    refusesRequests: false,
    clockAheadMs: 0,
    expiryAheadMs: 0,
  },
  load: {
    limits: { clientConnections: 90, upstreamConnections: 80, connectionsPerAddress: 7, requestsPerService: 40, requestsPerNode: 0 },
    clientConnections: 12,
    upstreamConnections: 5,
    pausedWorkers: 1,
    pauses: 2,
    refused: {
      too_many_connections: 3,
      too_many_connections_of_client: 0,
      service_overloaded: 1,
      nodes_overloaded: 0,
      too_many_upstream_connections: 0,
      out_of_descriptors: 0,
    },
  },
};

async function ask(name: string, status: GatewayStatus, fail?: (worker: number, failure: string) => boolean) {
  const handler = statusRoutes({ status: () => status, health: () => [], fail }).get(name);
  return handler?.({ query: new URLSearchParams() });
}

test('the status is ok whatever the gateway waits for', async () => {
  const answer = await ask('GET /status', { ...ready, revision: undefined, workers: ['starting'] });
  assert.equal(answer?.status, 200);
  assert.deepEqual(answer?.body, {
    status: 'ok',
    revision: null,
    workers: [{ index: 0, state: 'starting' }],
    spare: true,
    draining: false,
    control_plane: { connected: true, last_contact_seconds: 0, configuration_age_seconds: 1, lag: 0, too_old: false },
    connections: { client: { open: 12, limit: 90, limit_per_address: 7 }, upstream: { open: 5, limit: 80 } },
    requests: { limit_per_service: 40, limit_per_node: 0 },
    accepting_paused: { workers: 1, times: 2 },
    refused: ready.load.refused,
  });
});

test('ready is 200 when a configuration is in force, all workers listen and nothing drains, else 503 with the reason', async () => {
  assert.equal((await ask('GET /status/ready', ready))?.status, 200);
  const reasons: ReadonlyArray<readonly [Partial<GatewayStatus>, string]> = [
    [{ revision: undefined }, 'no configuration is in force'],
    [{ workers: ['listening', 'starting'] }, 'worker 1 is not listening'],
    [{ draining: true }, 'the gateway is draining'],
    [{ freshness: { ...ready.freshness, isTooOld: true, refusesRequests: true } }, 'the configuration is too old'],
  ];
  for (const [change, error] of reasons) {
    const answer = await ask('GET /status/ready', { ...ready, ...change });
    assert.equal(answer?.status, 503);
    assert.partialDeepStrictEqual(answer?.body, { status: 'error', error });
  }
});

test('failure hooks exist only where tests asked for them', async () => {
  assert.equal(await ask('POST /test/worker/0/throw', ready), undefined);
  const failed: unknown[] = [];
  const fail = (worker: number, failure: string): boolean => failed.push([worker, failure]) > 0;
  assert.equal((await ask('POST /test/worker/1/block', ready, fail))?.status, 202);
  assert.deepEqual(failed, [[1, 'block']]);
  assert.equal((await ask('POST /test/worker/0/exit', ready, () => false))?.status, 409);
  assert.equal(await ask('POST /test/worker/2/exit', ready, fail), undefined);
});
