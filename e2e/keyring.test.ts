import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { cleanEnvironment } from '../test-support/clean-environment.ts';
import { freshSchemaName, queryPostgres } from '../test-support/postgres-server.ts';
import { RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { withPostgres } from '../test-support/with-postgres.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/portcullis.js', import.meta.url));
/** The Admin API's limits of requests would be reached by what the test writes. */
const UNLIMITED = ['--admin-requests-per-user', '0', '--admin-requests-per-address', '0'];
const MANY = 4_000;
const CREDENTIALS = '/apisix/admin/consumers/jack/credentials';

test('keys are changed under load: killed in the middle, repeated, retired, and no client or writer notices', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const instance = await runningInstance(t, { dataFolder, flags: UNLIMITED });
  await publish(instance, MANY);
  const folder = ['--data-dir', dataFolder];
  const keyringFile = path.join(dataFolder, 'keyring.json');
  const oldKeyring = path.join(dataFolder, 'keyring-before.json');
  copyFileSync(keyringFile, oldKeyring);
  const [former = ''] = keyIdsIn(keyringFile);
  const backup = path.join(dataFolder, 'before.gz');
  assert.equal((await portcullis(['backup', ...folder, '--to', backup])).code, 0);

  const load = startLoad([instance]);
  const killed = begin(['keyring', 'rotate', ...folder]);
  const total = countSealed(dataFolder, former);
  await until(() => killed.exitCode !== null || isBetween(countSealed(dataFolder, former), total / 10, total * 0.9));
  assert.equal(killed.exitCode, null, 'the rotation ended before it could be killed');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const left = countSealed(dataFolder, former);
  assert.ok(isBetween(left, 1, total - 1), `${left} of ${total} values are left`);
  assert.match((await portcullis(['keyring', 'list', ...folder])).stdout, /A rotation is not finished/);
  const early = await portcullis(['keyring', 'retire', former, ...folder]);
  assert.deepEqual([early.code, /values are still encrypted with the key/.test(early.stderr)], [1, true]);

  const done = await portcullis(['keyring', 'rotate', ...folder]);
  assert.equal(done.code, 0, done.stderr);
  const current = keyIdsIn(keyringFile)[0] ?? '';
  assert.match(done.stdout, new RegExp(`The rotation that was cut off is finished: the key ${current} encrypts now, and \\d+ values`));
  assert.deepEqual([keyIdsIn(keyringFile).length, countSealed(dataFolder, former)], [2, 0]);
  const retired = await portcullis(['keyring', 'retire', former, ...folder]);
  assert.deepEqual([retired.code, retired.stderr], [0, '']);
  assert.deepEqual(keyIdsIn(keyringFile), [current]);
  const { written, calls } = await load.end();
  assert.ok(written.size > 5 && calls > 20, `${written.size} writes, ${calls} calls`);
  await assertKept(instance, written);
  const printed = `${done.stdout}${retired.stdout}${(await portcullis(['keyring', 'list', ...folder])).stdout}`;
  for (const { key } of keysIn(oldKeyring)) assert.equal(printed.includes(key), false);
  for (const { key } of keysIn(keyringFile)) assert.equal(printed.includes(key), false);

  assert.equal(await instance.stop(), 0);
  const again = await runningInstance(t, { dataFolder, flags: ['--demo-port', String(instance.ports.demo), ...UNLIMITED] }, instance.token);
  await assertKept(again, written);
  assert.equal(await call(again, 'key-7'), 200);
  const audit = await portcullis(['audit', 'verify', ...folder]);
  assert.match(audit.stdout, /The audit log is whole/);

  // What was backed up before opens with the key from before, which goes on from there.
  const elsewhere = await temporaryFolder(t);
  const restore = ['restore', '--data-dir', elsewhere, '--from', backup];
  const refused = await portcullis([...restore, '--keyring-file', keyringFile]);
  assert.match(refused.stderr, new RegExp(`lacks the key ${former}, with which the backup `));
  const both = path.join(elsewhere, 'keyring.json');
  writeFileSync(both, JSON.stringify({ version: 1, keys: [...keysIn(keyringFile), ...keysIn(oldKeyring)] }));
  const restored = await portcullis(restore);
  assert.equal(restored.code, 0, restored.stderr);
  const rotated = await portcullis(['keyring', 'rotate', '--data-dir', elsewhere]);
  assert.match(rotated.stdout, new RegExp(`^The key ${current} encrypts now`), rotated.stderr);
  assert.equal((await portcullis(['keyring', 'retire', former, '--data-dir', elsewhere])).code, 0);
});

test('a rotation with another keyring file than that of the running instance changes nothing', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const keyringFile = path.join(await temporaryFolder(t), 'keyring.json');
  await runningInstance(t, { dataFolder, flags: ['--keyring-file', keyringFile] });
  const other = path.join(await temporaryFolder(t), 'keyring.json');
  copyFileSync(keyringFile, other);
  const before = readFileSync(other, 'utf8');
  const refused = await portcullis(['keyring', 'rotate', '--data-dir', dataFolder, '--keyring-file', other]);
  assert.deepEqual([refused.code, refused.stdout], [1, '']);
  assert.equal(refused.stderr, `The instance in ${dataFolder} uses the keyring ${keyringFile}: name it with --keyring-file.\n`);
  assert.equal(readFileSync(other, 'utf8'), before);
});

withPostgres('two control planes with a keyring file each: the new key is used when both have it, and not before', async (t, url) => {
  const environment = settingsOn(t, url);
  const [one, other] = [await temporaryFolder(t), await temporaryFolder(t)];
  const first = await runningInstance(t, { dataFolder: one, environment, flags: UNLIMITED });
  const [ownKeyring, otherKeyring] = [path.join(one, 'keyring.json'), path.join(other, 'keyring.json')];
  copyFileSync(ownKeyring, otherKeyring);
  const second = await runningInstance(t, { dataFolder: other, environment, flags: UNLIMITED }, first.token);
  await publish(first, 500);
  const [former = ''] = keyIdsIn(ownKeyring);
  const load = startLoad([first, second]);
  const folder = ['--data-dir', one];

  const lacking = await portcullis(['keyring', 'rotate', ...folder, '--wait', '3'], environment);
  assert.equal(lacking.code, 1);
  assert.match(
    lacking.stderr,
    /^These control planes do not have the key [0-9a-f]+ \([0-9a-f]{16}\) yet: [^,]+ \([0-9a-f-]{36}\)\. Bring them/,
  );
  assert.match((await portcullis(['keyring', 'list', ...folder], environment)).stdout, /: lacks [0-9a-f]+\n/);
  copyFileSync(ownKeyring, otherKeyring);
  const done = await portcullis(['keyring', 'rotate', ...folder], environment);
  assert.equal(done.code, 0, done.stderr);
  const [current = ''] = keyIdsIn(ownKeyring);
  assert.notEqual(current, former);
  const retired = await portcullis(['keyring', 'retire', former, ...folder], environment);
  assert.equal(retired.code, 0, retired.stderr);
  const { written, calls } = await load.end();
  assert.ok(written.size > 5 && calls > 20);
  for (const instance of [first, second]) await assertKept(instance, written);
  assert.match((await portcullis(['audit', 'verify', ...folder], environment)).stdout, /The audit log is whole/);

  // One that was away all the time.
  assert.equal(await second.stop(), 0);
  writeFileSync(otherKeyring, JSON.stringify({ version: 1, keys: keysIn(otherKeyring).filter(({ id }) => id === former) }));
  const away = await RunningInstance.startAndFail({ dataFolder: other, environment });
  assert.match(
    away.stderr,
    new RegExp(`lacks the key ${current}, with which .* give it with --keyring-file the keyring that the other control planes`),
  );
  rmSync(otherKeyring);
  copyFileSync(ownKeyring, otherKeyring);
  const back = await runningInstance(t, { dataFolder: other, environment, flags: UNLIMITED }, first.token);
  await assertKept(back, written);
});

/** Writers and clients that note what they are told; each answer but a success is a failure of the test. */
function startLoad(instances: readonly RunningInstance[]) {
  const written = new Map<string, string>();
  let isOver = false;
  let calls = 0;
  const write = async (instance: RunningInstance, name: string): Promise<void> => {
    for (let round = 0; !isOver; round += 1) {
      const [id, key] = [`${name}-${round % 40}`, `${name}-key-${round}`];
      const { status, body } = await instance.admin('PUT', `${CREDENTIALS}/${id}`, { plugins: { 'key-auth': { key } } });
      assert.ok(status === 200 || status === 201, JSON.stringify(body));
      written.set(id, key);
    }
  };
  const request = async (instance: RunningInstance): Promise<void> => {
    while (!isOver) {
      assert.equal(await call(instance, `key-${calls % 100}`), 200);
      calls += 1;
      await delay(2);
    }
  };
  const running = Promise.all(instances.flatMap((instance, index) => [write(instance, `w${index}`), request(instance)]));
  running.catch(() => undefined);
  return {
    end: async () => {
      isOver = true;
      await running;
      return { written, calls };
    },
  };
}

async function assertKept(instance: RunningInstance, written: ReadonlyMap<string, string>): Promise<void> {
  for (const [id, key] of written) {
    const { status, body } = await instance.admin('GET', `${CREDENTIALS}/${id}`);
    assert.deepEqual([status, JSON.stringify(body).includes(`"${key}"`)], [200, true], id);
  }
}

async function publish(instance: RunningInstance, credentials: number): Promise<void> {
  const node = { host: '127.0.0.1', port: instance.ports.demo, weight: 1 };
  const operations = [
    { kind: 'service', id: 'echo', body: { name: 'echo', upstream: { nodes: [node] } } },
    { kind: 'route', id: 'echo', body: { name: 'echo', paths: ['/anything'], service_id: 'echo', plugins: { 'key-auth': {} } } },
    { kind: 'consumer', id: 'jack', body: { username: 'jack' } },
    ...Array.from({ length: credentials }, (_, index) => ({
      ...{ kind: 'credential', parent: 'jack', id: `c${index}` },
      body: { plugins: { 'key-auth': { key: `key-${index}` } } },
    })),
  ];
  const { status, body } = await instance.admin('POST', '/api/gateway_groups/default/bulk', operations, { Prefer: 'wait=30' });
  assert.equal(status, 200, JSON.stringify(body));
}

async function call(instance: RunningInstance, apiKey: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${instance.ports.http}/anything`, { headers: { apikey: apiKey } });
  await answer.arrayBuffer();
  return answer.status;
}

/** How many rows hold something that is encrypted with a key. */
function countSealed(dataFolder: string, keyId: string): number {
  const database = new BetterSqlite3(path.join(dataFolder, 'store.sqlite'), { readonly: true });
  try {
    const sql = 'SELECT count(*) FROM resources WHERE instr(secrets, ?) > 0';
    return Number(database.prepare(sql).pluck().get(`enc1:${keyId}:`));
  } finally {
    database.close();
  }
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

function keysIn(file: string): readonly { readonly id: string; readonly key: string }[] {
  return JSON.parse(readFileSync(file, 'utf8')).keys;
}

function keyIdsIn(file: string): readonly string[] {
  return keysIn(file).map(({ id }) => id);
}

function begin(words: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const env = { ...cleanEnvironment(), ...environment };
  // Without the launcher, so that the process that is killed is the one that works.
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  return spawn(process.execPath, [main, ...words], { env, stdio: 'ignore' });
}

async function portcullis(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { ...cleanEnvironment(), ...environment };
  const child = spawn(process.execPath, [LAUNCHER, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

function settingsOn(t: Pick<TestContext, 'after'>, url: string) {
  const schema = freshSchemaName();
  t.after(() => queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  return { DATABASE_URL: url, PORTCULLIS_DATABASE_SCHEMA: schema };
}
