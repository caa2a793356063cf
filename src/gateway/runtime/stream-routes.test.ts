import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestRuntime, putInForce, serviceChange } from '../testing/test-runtime.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { readStreamRouteSettings } from './read-settings.ts';
import type { Runtime } from './runtime.ts';

function streamRouteChange(id: string, port: number): RuntimeChange {
  const settings = readStreamRouteSettings(id, { name: id, service_id: 's', server_port: port }, []);
  return { op: 'put-stream-route', id, number: 1, settings };
}

function routeOf(runtime: Runtime, localPort: number): string | undefined {
  const stream = { transport: 'tcp', localPort, localAddress: () => undefined, remoteAddress: '10.0.0.1', serverName: undefined } as const;
  return runtime.streamRoutes.match(stream)?.id;
}

test('changes of many stream routes at once, and of one after them, are in force as a whole', async () => {
  let nowMs = 0;
  const seen = new Set<string | undefined>();
  const runtime: Runtime = createTestRuntime([], {
    monotonicMs: () => nowMs++,
    yieldTurn: () => Promise.resolve(void seen.add(routeOf(runtime, 1))),
  });
  const service = serviceChange({ type: 'stream' });
  await putInForce(runtime, [service, ...Array.from({ length: 400 }, (_, index) => streamRouteChange(`r${index}`, index + 1))]);
  assert.deepEqual([...seen], [undefined]);
  assert.deepEqual([routeOf(runtime, 1), routeOf(runtime, 400), routeOf(runtime, 401)], ['r0', 'r399', undefined]);

  const prepared = await runtime.prepare([streamRouteChange('r0', 401)]);
  assert.equal(routeOf(runtime, 401), undefined);
  runtime.commit(prepared);
  assert.deepEqual([routeOf(runtime, 1), routeOf(runtime, 401)], [undefined, 'r0']);

  await putInForce(runtime, [{ op: 'delete-stream-route', id: 'r1' }]);
  assert.equal(routeOf(runtime, 2), undefined);

  await putInForce(runtime, [serviceChange({ type: 'stream', status: 0 })]);
  assert.deepEqual([routeOf(runtime, 401), routeOf(runtime, 400)], [undefined, undefined]);
  await putInForce(runtime, [service]);
  assert.deepEqual([routeOf(runtime, 401), routeOf(runtime, 400)], ['r0', 'r399']);
});
