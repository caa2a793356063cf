import assert from 'node:assert/strict';
import test from 'node:test';
import { runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

test('a key in the environment of the instance lets its consumer in; what is withheld does only where it is opened', async (t) => {
  const instance = await runningInstance(t, {
    dataFolder: await temporaryFolder(t),
    flags: ['--env-references', 'PGPASSWORD'],
    environment: { GUIDE_KEY: 'ordinary-key', PGPASSWORD: 'opened-key', REDIS_URL: 'withheld-key' },
  });
  const nodes = [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }];
  const put = async (resource: string, body: unknown): Promise<void> => {
    const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.equal(answer.headers['portcullis-applied'], '1/1');
  };
  await put('services/s', { name: 's', upstream: { type: 'roundrobin', nodes } });
  await put('routes/r', { name: 'r', paths: ['/anything/*'], service_id: 's', plugins: { 'key-auth': {} } });
  await put('consumers/jack', { username: 'jack' });
  for (const name of ['GUIDE_KEY', 'PGPASSWORD', 'REDIS_URL']) {
    await put(`consumers/jack/credentials/${name}`, { plugins: { 'key-auth': { key: `$env://${name}` } } });
  }
  const statusOf = async (apikey: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${instance.ports.http}/anything/x`, { headers: { apikey } })).status;
  assert.deepEqual(
    [await statusOf('ordinary-key'), await statusOf('opened-key'), await statusOf('withheld-key'), await statusOf('$env://GUIDE_KEY')],
    [200, 200, 401, 401],
  );
});
