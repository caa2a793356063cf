import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { StartError } from '../errors/index.ts';
import { systemClock } from '../lib/clock.ts';
import { claimDataFolder, shareDataFolder } from './instance-lock.ts';

const claim = (file: string, waitMs: number) => claimDataFolder(file, { waitMs, clock: systemClock, onWait: () => {} });

test('a data folder belongs to one instance at a time', async (t) => {
  const file = path.join(await temporaryFolder(t), 'instance.lock');
  const first = await claim(file, 0);
  await assert.rejects(claim(file, 0), (error) => error instanceof StartError && /in use by another instance/.test(error.message));
  first.release();
  (await claim(file, 0)).release();
});

test('a child that shares the claim keeps the folder claimed after its supervisor has gone', async (t) => {
  const file = path.join(await temporaryFolder(t), 'instance.lock');
  const supervisor = await claim(file, 0);
  const child = shareDataFolder(file);
  supervisor.release();
  await assert.rejects(claim(file, 0), StartError);
  const waiting = claim(file, 5000);
  child.release();
  (await waiting).release();
});

test('the claim of a killed process is gone at once', async (t) => {
  const file = path.join(await temporaryFolder(t), 'instance.lock');
  const program = `
    import { claimDataFolder } from ${JSON.stringify(new URL('./instance-lock.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../lib/clock.ts', import.meta.url).href)};
    await claimDataFolder(${JSON.stringify(file)}, { waitMs: 0, clock: systemClock, onWait() {} });
    console.log('claimed');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => assert.fail('the child ended before it claimed'))]);
  await assert.rejects(claim(file, 0), StartError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  (await claim(file, 0)).release();
});
