import assert from 'node:assert/strict';
import test from 'node:test';
import { runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const WRITES = 300;

test('300 acknowledged writes survive kill -9 of every process, in the store and at the gateway', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const first = await runningInstance(t, { dataFolder });
  const node = { host: '127.0.0.1', port: first.ports.demo, weight: 1 };
  await first.admin('PUT', '/apisix/admin/services/echo', { name: 'echo', upstream: { nodes: [node] } });
  await first.admin('PUT', '/apisix/admin/routes/echo', {
    name: 'echo',
    paths: ['/anything'],
    service_id: 'echo',
    plugins: { 'key-auth': {} },
  });
  await first.admin('PUT', '/apisix/admin/consumers/many', { username: 'many' });
  const acknowledged: number[] = [];
  for (let write = 0; write < WRITES; write++) {
    const answer = await first.admin('PUT', `/apisix/admin/consumers/many/credentials/c${write}`, {
      plugins: { 'key-auth': { key: `${first.token}-${write}` } },
    });
    if (answer.status === 200) acknowledged.push(write);
  }
  await first.killEverything();
  assert.equal(acknowledged.length, WRITES);

  const second = await runningInstance(t, { dataFolder, flags: ['--demo-port', String(first.ports.demo)] }, first.token);
  const list = (await second.admin('GET', '/apisix/admin/consumers/many/credentials')).body as { total: number; list: { id: string }[] };
  assert.equal(list.total, WRITES);
  const statuses = new Set<number>();
  for (const write of acknowledged) {
    const answer = await fetch(`http://127.0.0.1:${second.ports.http}/anything`, { headers: { apikey: `${first.token}-${write}` } });
    await answer.arrayBuffer();
    statuses.add(answer.status);
  }
  assert.deepEqual([...statuses], [200]);
});
