import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { startFragileGateway } from '../testing/failing-worker.ts';
import { sendRequest } from '../testing/send-request.ts';

test('a worker that blocks is ended and replaced, and connections that it left waiting break instead of hanging', async () => {
  const gateway = await startFragileGateway({ after });
  await sendRequest(gateway.statusPort, { method: 'POST', target: '/test/worker/0/block' });
  const status = await sendRequest(gateway.statusPort, { target: '/status' });
  assert.equal(status.status, 200);
  let answered = false;
  while (!answered) {
    const answer = await sendRequest(gateway.httpPort, { target: '/anything/x' }).catch(() => undefined);
    answered = answer?.status === 401;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const line = gateway.log.lines.find((each) => each.message.startsWith('a worker thread ended'));
  assert.equal(line?.fields.cause, 'its heartbeat was silent for 2 s');
});
