import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ownSchema } from '../test-support/own-schema.ts';
import { runPortcullis } from '../test-support/run-portcullis.ts';
import { RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { withOwnPostgres, withPostgres } from '../test-support/with-postgres.ts';

withPostgres('on PostgreSQL the guide works, and all of it is there after kill -9 of every process', async (t, url) => {
  const dataFolder = await temporaryFolder(t);
  const options = { dataFolder, environment: ownSchema(t, url) };
  const first = await runningInstance(t, options);
  await followGuide(first);
  assert.equal(await call(first, 'first-key'), 200);
  assert.equal(await call(first, undefined), 401);
  await first.killEverything();

  const second = await runningInstance(t, { ...options, flags: ['--demo-port', String(first.ports.demo)] }, first.token);
  assert.doesNotMatch(second.stdout, /First start/);
  assert.match(second.stdout, /^ {2}Store {11}the PostgreSQL database /m);
  assert.equal(await call(second, 'first-key'), 200);
  const service = await second.admin('GET', '/apisix/admin/services/echo');
  assert.equal(service.status, 200);
  const put = await second.admin('PUT', '/apisix/admin/consumers/jack/credentials/c2', { plugins: { 'key-auth': { key: 'second-key' } } });
  assert.deepEqual([put.status, put.headers['portcullis-applied'], await call(second, 'second-key')], [200, '1/1', 200]);
  assert.deepEqual(
    readdirSync(dataFolder).filter((name) => name.startsWith('store.sqlite')),
    [],
  );
  assert.equal(await second.stop(), 0);
});

withPostgres(
  'the address of the database stays with the control plane, comes from a file too, and serves the command line',
  async (t, url) => {
    const dataFolder = await temporaryFolder(t);
    const file = path.join(dataFolder, 'database-url');
    const { DATABASE_URL, ...schema } = ownSchema(t, url);
    writeFileSync(file, `${DATABASE_URL}\n`, { mode: 0o600 });
    const environment = { ...schema, DATABASE_URL_FILE: file };
    const instance = await runningInstance(t, { dataFolder, environment });
    for (const { pid } of instance.childProcesses()) {
      assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /DATABASE_URL/);
    }
    const misleading = { PGOPTIONS: '-c broken', PGHOST: '192.0.2.1' };
    const stdout = await runPortcullis(['token', 'create', '--data-dir', dataFolder], { ...misleading, ...environment });
    const token = /^export API_KEY=(\S+)/.exec(stdout)?.[1] ?? '';
    const { status } = await instance.admin('GET', '/apisix/admin/services', undefined, { 'X-API-KEY': token });
    assert.equal(status, 200);
  },
);

withPostgres(
  'a second control plane needs the keyring of the first, and then what one answers is in force at the gateway of the other',
  async (t, url) => {
    const [one, other] = [await temporaryFolder(t), await temporaryFolder(t)];
    const environment = ownSchema(t, url);
    const first = await runningInstance(t, { dataFolder: one, environment });
    const refused = await RunningInstance.startAndFail({ dataFolder: other, environment });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /lacks the key [0-9a-f]+, with which the PostgreSQL database .* give it with --keyring-file the keyring/);
    const second = await runningInstance(
      t,
      { dataFolder: other, environment, flags: ['--keyring-file', path.join(one, 'keyring.json')] },
      first.token,
    );
    // The gateways of both are waited for.
    await followGuide(first, '2/2');
    assert.equal(await call(second, 'first-key'), 200);
    const listed = (await second.admin('GET', '/apisix/admin/routes?service_id=echo')).body as { total: number };
    assert.equal(listed.total, 1);
    const removed = await second.admin('DELETE', '/apisix/admin/consumers/jack/credentials/c1');
    assert.deepEqual([removed.status, removed.headers['portcullis-applied']], [200, '2/2']);
    assert.equal(await call(second, 'first-key'), 401);
    assert.equal(await call(first, 'first-key'), 401);
  },
);

withOwnPostgres(
  'while the database is away writes are refused with 503 and Retry-After, requests are served, and nothing needs a restart',
  {},
  async (t, server) => {
    const environment = ownSchema(t, server.url);
    const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), environment });
    await followGuide(instance);
    await server.stop();
    const refused = await instance.admin('PUT', '/apisix/admin/consumers/jill', { username: 'jill' });
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    assert.equal((await instance.admin('GET', '/apisix/admin/services/echo')).status, 503);
    assert.equal(await call(instance, 'first-key'), 200);
    await server.start();
    const accepted = await instance.admin('PUT', '/apisix/admin/consumers/jill', { username: 'jill' });
    assert.deepEqual([accepted.status, accepted.headers['portcullis-applied']], [200, '1/1']);
    const log = readFileSync(path.join(instance.dataFolder, 'logs', 'portcullis.log'), 'utf8');
    assert.doesNotMatch(log, /first-key|"the control plane ends"/);
  },
);

/** The key-auth guide's calls, each in force at all gateways when it is answered. */
async function followGuide(instance: RunningInstance, applied = '1/1'): Promise<void> {
  const node = { host: '127.0.0.1', port: instance.ports.demo, weight: 1 };
  const answers = [
    await instance.admin('PUT', '/apisix/admin/services/echo', { name: 'echo', upstream: { nodes: [node] } }),
    await instance.admin('PUT', '/apisix/admin/routes/echo', {
      name: 'echo',
      paths: ['/anything'],
      service_id: 'echo',
      plugins: { 'key-auth': { header: 'apikey' } },
    }),
    await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' }),
    await instance.admin('PUT', '/apisix/admin/consumers/jack/credentials/c1', { plugins: { 'key-auth': { key: 'first-key' } } }),
  ];
  assert.deepEqual(
    answers.map(({ status, headers }) => `${status} ${headers['portcullis-applied']}`),
    Array.from({ length: 4 }, () => `200 ${applied}`),
  );
}

async function call(instance: RunningInstance, apiKey: string | undefined): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${instance.ports.http}/anything`, {
    headers: apiKey === undefined ? {} : { apikey: apiKey },
  });
  await answer.arrayBuffer();
  return answer.status;
}
