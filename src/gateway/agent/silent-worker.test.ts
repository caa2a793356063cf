import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { guideItems } from '../testing/guide-items.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import { startTestUpstream } from '../testing/test-upstream.ts';

test('a worker that blocks is ended and replaced, and connections that it left waiting break instead of hanging', async () => {
  const upstream = await startTestUpstream({ after });
  const gateway = await startTestGateway({ after }, { testHooks: true });
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
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
