import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';
import { holdFolder } from './hold-folder.ts';

/** No pause takes any time. */
const IMPATIENT: Clock = {
  ...systemClock,
  schedule: (_delayMs, task) => {
    const immediate = setImmediate(task);
    return () => clearImmediate(immediate);
  },
};

const MODULES = ['./hold-folder.ts', '../../lib/clock.ts'].map((file) => JSON.stringify(new URL(file, import.meta.url).href));

/** A process that holds the folder until it is killed, for an hour already as far as others can see. */
async function holdingProcess(t: TestContext, folder: string) {
  const program = `
    import { holdFolder } from ${MODULES[0]};
    import { systemClock } from ${MODULES[1]};
    await holdFolder(${JSON.stringify(folder)}, systemClock, async () => {
      console.log('held');
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => assert.fail('the child ended before it held'))]);
  await utimes(path.join(folder, '.exporting'), 1, 1);
  return child;
}

test('a holder that is stopped for longer than any turn takes keeps the folder, and loses it when it dies', async (t) => {
  const folder = await temporaryFolder(t);
  const holder = await holdingProcess(t, folder);
  holder.kill('SIGSTOP');
  await assert.rejects(
    holdFolder(folder, IMPATIENT, async () => 'in'),
    /has been exporting to .* for too long/,
  );
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  assert.equal(await holdFolder(folder, IMPATIENT, async () => 'in'), 'in');
  assert.deepEqual(await readdir(folder), ['.exporting.lock']);
});

test('a folder is held by one at a time in a process too, and by nobody after a failure', async (t) => {
  const folder = await temporaryFolder(t);
  const inside: string[] = [];
  const hold = (name: string): Promise<void> =>
    holdFolder(folder, systemClock, async () => {
      inside.push(`${name} begins`);
      await new Promise<void>((resolve) => setImmediate(resolve));
      inside.push(`${name} ends`);
    });
  await Promise.all([hold('a'), hold('b')]);
  const [first = '', , second = ''] = inside.map((line) => line.slice(0, 1));
  assert.deepEqual(inside, [`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`]);
  await assert.rejects(
    holdFolder(folder, systemClock, () => Promise.reject(new Error('the disk is full'))),
    /the disk is full/,
  );
  assert.equal(await holdFolder(folder, systemClock, async () => 'in'), 'in');
});

test('older software that has the turn is waited for', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, '.exporting'), '');
  await assert.rejects(
    holdFolder(folder, IMPATIENT, async () => 'in'),
    /for too long/,
  );
});
