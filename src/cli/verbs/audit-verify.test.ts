import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { cleanEnvironment } from '../../../test-support/clean-environment.ts';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { openControlPlaneStore } from '../../control-plane/index.ts';
import { systemRandom } from '../../lib/random.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

async function verify(folder: string, ...options: readonly string[]) {
  // The store is the one in the folder, whatever database other tests are given.
  const child = spawn(process.execPath, [MAIN, 'audit', 'verify', '--data-dir', folder, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(),
  });
  const [output, errors, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { output, errors, status };
}

test('the log of a data folder is verified beside a running store, and what was changed is named', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock();
  const store = await openControlPlaneStore({ dataFolder: folder, keyringFile: `${folder}/keyring.json`, clock, random: systemRandom });
  t.after(() => store.close());
  const author = { id: 'cli', name: 'cli' };
  for (let at = 1; at <= 3; at += 1) {
    await store.transaction(author, (transaction) =>
      transaction.appendAudit({
        at,
        author,
        action: at === 1 ? 'installation.create' : 'a',
        groupId: undefined,
        resource: 'r',
        address: undefined,
        detail: {},
      }),
    );
  }
  const whole = await verify(folder);
  assert.deepEqual([whole.status, whole.errors], [0, '']);
  assert.match(whole.output, /^The audit log is whole: 3 entries\.\nIts end, to note elsewhere: 3:[0-9a-f]{64}\n$/);
  const noted = whole.output.trimEnd().split(' ').at(-1) ?? '';
  assert.equal((await verify(folder, '--noted', noted)).status, 0);
  const file = new BetterSqlite3(path.join(folder, 'store.sqlite'));
  file.exec(`UPDATE audit_entries SET author_id = 'somebody' WHERE number = 2`);
  file.close();
  const changed = await verify(folder);
  assert.equal(changed.status, 1);
  assert.match(changed.output, /NOT whole \(3 entries\):\n- entry 2 was changed\./);
  // Everything gone, and the kept end with it; then the log goes on, as after a restart.
  const emptied = new BetterSqlite3(path.join(folder, 'store.sqlite'));
  emptied.exec(`DELETE FROM audit_entries; DELETE FROM sqlite_sequence; DELETE FROM settings WHERE name LIKE 'audit-chain-%'`);
  emptied.close();
  assert.match((await verify(folder)).output, /- the chain's end is missing/);
  await store.transaction(author, (transaction) =>
    transaction.appendAudit({ at: 4, author, action: 'a', groupId: undefined, resource: 'r', address: undefined, detail: {} }),
  );
  assert.match((await verify(folder)).output, /- the log begins with entry 1, which is not the first that was ever written/);
  const malformed = await verify(folder, '--noted', 'x');
  assert.deepEqual([malformed.status, malformed.errors.includes('--noted must be a number and a hash')], [1, true]);
});
