import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

function arenasOf(instance: RunningInstance, role: 'control-plane' | 'gateway'): string | undefined {
  const environment = readFileSync(`/proc/${instance.child(role)}/environ`, 'latin1').split('\0');
  return environment.find((variable) => variable.startsWith('MALLOC_ARENA_MAX='));
}

test('the gateway process, and it alone, starts with as many malloc arenas as it has workers', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags: ['--workers', '2'] });
  assert.equal(arenasOf(instance, 'gateway'), 'MALLOC_ARENA_MAX=2');
  assert.equal(arenasOf(instance, 'control-plane'), undefined);
});

test('what is compiled of the workers, with constants for what modules import, is kept apart from what is compiled of their process', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'compiled');
  await runningInstance(t, { dataFolder: await temporaryFolder(t), environment: { NODE_COMPILE_CACHE: folder } });
  const [version = ''] = readdirSync(path.join(folder, 'workers'));
  const ofWorkers = filesIn(path.join(folder, 'workers', version));
  const ofProcesses = filesIn(path.join(folder, version));
  assert.ok(ofWorkers.length > 200 && ofProcesses.length > 200, `${ofWorkers.length} and ${ofProcesses.length} modules`);
  const countCopies = (files: readonly string[]): number => files.filter((content) => content.includes('$imported')).length;
  assert.ok(countCopies(ofWorkers) > 100, `${countCopies(ofWorkers)} modules with copies`);
  assert.equal(countCopies(ofProcesses), 0);
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'latin1'));
}
