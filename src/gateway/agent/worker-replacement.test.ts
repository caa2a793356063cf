import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { failAndRecover, spareReady, startFragileGateway, statusOf } from '../testing/failing-worker.ts';
import { sendRequest } from '../testing/send-request.ts';

const gateway = await startFragileGateway({ after });

test('a worker that throws is replaced within a second, and the log names what it entered last', async () => {
  const fields = await failAndRecover(gateway, 'throw');
  assert.deepEqual([fields.worker, fields.last_route, fields.last_plugin], [0, 'route', 'key-auth']);
});

test('a change at the moment of a death is in force in the successor', async () => {
  await spareReady(gateway);
  await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/exit' });
  await gateway.change({ op: 'delete', name: { kind: 'route', parentId: '', id: 'route' } });
  let status = 200;
  while (status === 0 || status === 200) status = await statusOf(gateway);
  assert.equal(status, 404);
});
