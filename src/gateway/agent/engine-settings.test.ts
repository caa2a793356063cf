import assert from 'node:assert/strict';
import test from 'node:test';
import { startTestGateway } from '../testing/test-gateway.ts';

test("an instance's limits hold in its workers", async (t) => {
  const gateway = await startTestGateway(t, { engine: { limits: { targetBytes: 200, headerCount: 20 }, timeouts: {} } });
  await gateway.load([]);
  await gateway.agent.whenReady();
  const statusOf = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`, { headers });
    await answer.text();
    return answer.status;
  };
  assert.equal(await statusOf(`/${'a'.repeat(199)}`), 404);
  assert.equal(await statusOf(`/${'a'.repeat(200)}`), 414);
  assert.equal(await statusOf('/', Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}`, '1']))), 431);
});
