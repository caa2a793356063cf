import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const NOBODY = 65_534;

/** Why `--user` cannot be tried here; false where it can. */
function impossible(): string | false {
  if (process.getuid?.() !== 0) return 'only root can start processes of another user';
  const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const { status } = spawnSync(process.execPath, ['-e', `require('fs').readFileSync(${JSON.stringify(program)})`], {
    uid: NOBODY,
    gid: NOBODY,
  });
  return status === 0 ? false : 'this clone lies where other users may not read it';
}

test('as root with --user everything but the supervisor runs as that user, and the data belongs to it', {
  skip: impossible(),
}, async (t) => {
  const dataFolder = await temporaryFolder(t);
  const options = { dataFolder, flags: ['--user', `${NOBODY}:${NOBODY}`], asRoot: false };
  const instance = await runningInstance(t, options);
  const uids = instance.childProcesses().map(({ pid }) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  assert.deepEqual(uids, [NOBODY, NOBODY, NOBODY].map(String));
  for (const name of [
    'store.sqlite',
    'keyring.json',
    'instance.lock',
    path.join('logs', 'portcullis.log'),
    path.join('gateway', 'identity.json'),
  ]) {
    const { uid, mode } = statSync(path.join(dataFolder, name));
    assert.deepEqual([name, uid, mode & 0o777], [name, NOBODY, 0o600]);
  }
  assert.equal((await instance.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' })).status, 200);
  assert.equal(await instance.stop(), 0);
  const again = await runningInstance(t, options, instance.token);
  assert.equal((await again.admin('GET', '/apisix/admin/consumers/jack')).status, 200);
});

test('a folder that root has used is handed over to the user', { skip: impossible() }, async (t) => {
  const dataFolder = await temporaryFolder(t);
  const asRoot = await runningInstance(t, { dataFolder });
  await asRoot.admin('PUT', '/apisix/admin/consumers/jack', { username: 'jack' });
  assert.equal(await asRoot.stop(), 0);
  const asNobody = await runningInstance(t, { dataFolder, flags: ['--user', `${NOBODY}:${NOBODY}`], asRoot: false }, asRoot.token);
  assert.equal((await asNobody.admin('GET', '/apisix/admin/consumers/jack')).status, 200);
  assert.equal(await asNobody.stop(), 0);
});

test('as root with neither --user nor --allow-root nothing starts', { skip: impossible() }, async (t) => {
  const dataFolder = await temporaryFolder(t);
  const { code, stderr } = await RunningInstance.startAndFail({ dataFolder, asRoot: false });
  assert.equal(code, 1);
  assert.match(stderr, /does not serve as root: name a user with --user, or insist with --allow-root/);
  assert.deepEqual(readdirSync(dataFolder), []);
});
