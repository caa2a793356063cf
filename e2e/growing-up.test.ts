import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ownSchema } from '../test-support/own-schema.ts';
import { portcullisOutcome } from '../test-support/run-portcullis.ts';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { withPostgres } from '../test-support/with-postgres.ts';

withPostgres('a store grows from SQLite to PostgreSQL: keys, tokens and revisions go on, and the gateway with them', async (t, url) => {
  const dataFolder = await temporaryFolder(t);
  const environment = ownSchema(t, url);
  const urlFile = path.join(dataFolder, 'target-url');
  writeFileSync(urlFile, `${url}\n`, { mode: 0o600 });
  const words = ['migrate', '--data-dir', dataFolder, '--to-database-url-file', urlFile];
  const schema = { PORTCULLIS_DATABASE_SCHEMA: environment.PORTCULLIS_DATABASE_SCHEMA };
  const small = await runningInstance(t, { dataFolder });
  await publish(small);
  const refused = await portcullisOutcome(words, schema);
  assert.deepEqual([refused.code, /in use by another instance/.test(refused.stderr)], [1, true]);
  const revision = revisionOf(await small.admin('PUT', '/apisix/admin/consumers/jill', { username: 'jill' }));
  assert.equal(await small.stop(), 0);

  const migrated = await portcullisOutcome(words, schema);
  assert.deepEqual([migrated.code, migrated.stderr], [0, '']);
  assert.match(migrated.stdout, /Copied and compared \d+ rows .*: 5 resources, /);
  assert.match(migrated.stdout, new RegExp(`Revisions: default ${revision}\\..*\\nThe audit log is whole`));
  assert.doesNotMatch(migrated.stdout, /first-key/);
  assert.match((await portcullisOutcome(words, schema)).stdout, /An earlier run has copied everything/);

  // The demo upstream keeps its port, since it is a node of the service.
  const flags = ['--demo-port', String(small.ports.demo)];
  const large = await runningInstance(t, { dataFolder, environment, flags }, small.token);
  assert.doesNotMatch(large.stdout, /First start/);
  assert.equal(await call(large, 'first-key'), 200);
  assert.equal(await call(large, 'wrong'), 401);
  const next = await large.admin('PUT', '/apisix/admin/consumers/jack/credentials/c2', { plugins: { 'key-auth': { key: 'second-key' } } });
  assert.deepEqual([next.status, revisionOf(next), next.headers['portcullis-applied']], [200, revision + 1, '1/1']);
  assert.equal(await call(large, 'second-key'), 200);
  // What has been written to since is another store.
  const again = await portcullisOutcome(words, schema);
  assert.deepEqual([again.code, again.stdout], [1, '']);
  assert.match(again.stderr, /in use by another instance/);
  assert.equal(await large.stop(), 0);
  assert.match((await portcullisOutcome(words, schema)).stderr, /holds another store \(6 resources, 1 users/);
});

test('a backup beside a running instance is restored, and the gateway follows although it had seen more', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const file = path.join(dataFolder, 'backup.gz');
  const first = await runningInstance(t, { dataFolder });
  await publish(first);
  const backup = await portcullisOutcome(['backup', '--data-dir', dataFolder, '--to', file]);
  assert.deepEqual([backup.code, backup.stderr], [0, '']);
  assert.match(backup.stdout, /Backup written to .*: \d+ rows, 4 resources\.\nIt does not hold the keyring/);
  const credentials = '/apisix/admin/consumers/jack/credentials';
  assert.equal((await first.admin('DELETE', `${credentials}/c1`)).status, 200);
  const later = await first.admin('PUT', `${credentials}/c2`, { plugins: { 'key-auth': { key: 'later-key' } } });
  assert.deepEqual([await call(first, 'first-key'), await call(first, 'later-key')], [401, 200]);
  const words = ['restore', '--data-dir', dataFolder, '--from', file];
  assert.match((await portcullisOutcome([...words, '--replace'])).stderr, /in use by another instance/);
  assert.equal(await first.stop(), 0);
  assert.match((await portcullisOutcome(words)).stderr, /There is a store in .* already/);
  const restored = await portcullisOutcome([...words, '--replace']);
  assert.deepEqual([restored.code, restored.stderr], [0, '']);
  assert.match(
    restored.stdout,
    /The audit log is whole.*\n.*\nThe store that was there is kept as .*store\.sqlite\.replaced-\d+\.\nNobody is signed in.*\n.*\n- key of credential jack\/c1 in default\n/,
  );

  const second = await runningInstance(t, { dataFolder, flags: ['--demo-port', String(first.ports.demo)] }, first.token);
  assert.deepEqual([await call(second, 'first-key'), await call(second, 'later-key')], [200, 401]);
  const next = await second.admin('PUT', '/apisix/admin/consumers/jill', { username: 'jill' });
  assert.deepEqual([next.headers['portcullis-applied'], revisionOf(next) > revisionOf(later)], ['1/1', true]);
  assert.equal(await second.stop(), 0);

  // On a new machine, with nothing but the backup and the keyring.
  const elsewhere = await temporaryFolder(t);
  const lacking = await portcullisOutcome(['restore', '--data-dir', elsewhere, '--from', file]);
  assert.match(lacking.stderr, /lacks the key [0-9a-f]+, with which the backup /);
  const keyring = ['--keyring-file', path.join(dataFolder, 'keyring.json')];
  assert.equal((await portcullisOutcome(['restore', '--data-dir', elsewhere, '--from', file, ...keyring])).code, 0);
  const third = await runningInstance(
    t,
    { dataFolder: elsewhere, flags: [...keyring, '--demo-port', String(first.ports.demo)] },
    first.token,
  );
  assert.deepEqual([await call(third, 'first-key'), await call(third, 'later-key')], [200, 401]);
});

/** A service with a route that wants a key, and a consumer who has one. */
async function publish(instance: RunningInstance): Promise<void> {
  const node = { host: '127.0.0.1', port: instance.ports.demo, weight: 1 };
  const answers = [
    await instance.admin('PUT', '/apisix/admin/services/echo', { name: 'echo', upstream: { nodes: [node] } }),
    await instance.admin('PUT', '/apisix/admin/routes/echo', {
      name: 'echo',
      paths: ['/anything'],
      service_id: 'echo',
      plugins: { 'key-auth': {} },
    }),
    await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' }),
    await instance.admin('PUT', '/apisix/admin/consumers/jack/credentials/c1', { plugins: { 'key-auth': { key: 'first-key' } } }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
}

function revisionOf({ headers }: Awaited<ReturnType<RunningInstance['admin']>>): number {
  return Number(headers['portcullis-revision']);
}

async function call(instance: RunningInstance, apiKey: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${instance.ports.http}/anything`, { headers: { apikey: apiKey } });
  await answer.arrayBuffer();
  return answer.status;
}
