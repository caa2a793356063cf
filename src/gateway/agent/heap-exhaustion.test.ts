import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { failAndRecover, startFragileGateway } from '../testing/failing-worker.ts';

test('a worker that runs out of heap is replaced within a second, and the rest of the process goes on', async () => {
  const gateway = await startFragileGateway({ after });
  const fields = await failAndRecover(gateway, 'exhaust-heap');
  assert.match(String(fields.cause), /memory limit/);
  assert.equal(fields.last_route, 'route');
});
