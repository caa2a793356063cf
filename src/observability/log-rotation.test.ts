import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { type LogRotation, startLogRotation } from './log-rotation.ts';

interface RotatedFolder {
  readonly folder: string;
  readonly file: string;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly rotation: LogRotation;
  readonly rotations: () => number;
}

async function rotatedFolder(
  t: TestContext,
  options: { readonly keep?: number; readonly onRotated?: () => void } = {},
): Promise<RotatedFolder> {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'access.log');
  const clock = new FakeClock();
  const log = new RecordingLogger();
  let rotations = 0;
  const rotation = startLogRotation({
    file,
    maxBytes: 10,
    keep: options.keep ?? 3,
    clock,
    log,
    onRotated: () => {
      rotations += 1;
      options.onRotated?.();
    },
  });
  t.after(() => rotation.stop());
  return { folder, file, clock, log, rotation, rotations: () => rotations };
}

test('a file below the limit stays', async (t) => {
  const { folder, file, rotation, rotations } = await rotatedFolder(t);
  await writeFile(file, '123456789');
  assert.equal(await rotation.check(), false);
  assert.deepEqual(await readdir(folder), ['access.log']);
  assert.equal(rotations(), 0);
});

test('a file that has reached the limit is put aside, and only so many old ones are kept', async (t) => {
  const { folder, file, rotation, rotations } = await rotatedFolder(t);
  for (const content of ['generation 1', 'generation 2', 'generation 3', 'generation 4', 'generation 5']) {
    await writeFile(file, content);
    assert.equal(await rotation.check(), true);
  }
  assert.equal(rotations(), 5);
  assert.deepEqual((await readdir(folder)).sort(), ['access.log.1', 'access.log.2', 'access.log.3']);
  assert.equal(await readFile(`${file}.1`, 'utf8'), 'generation 5');
  assert.equal(await readFile(`${file}.3`, 'utf8'), 'generation 3');
});

test('keeping none removes the file', async (t) => {
  const { folder, file, rotation } = await rotatedFolder(t, { keep: 0 });
  await writeFile(file, 'generation 1');
  assert.equal(await rotation.check(), true);
  assert.deepEqual(await readdir(folder), []);
});

test('the size is looked at again and again while the clock runs, and no more after the end', async (t) => {
  const { file, clock, rotation, rotations } = await rotatedFolder(t);
  await writeFile(file, 'generation 1');
  clock.advance(10_000);
  await rotation.check();
  assert.equal(rotations(), 1);
  await writeFile(file, 'generation 2');
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10_000);
  await rotation.check();
  assert.equal(rotations(), 2);
  await new Promise((resolve) => setImmediate(resolve));
  rotation.stop();
  assert.equal(clock.pendingTasks, 0);
});

test('a missing file is no fault, a file that cannot be renamed is told and tried again', async (t) => {
  const { file, log, rotation, rotations } = await rotatedFolder(t);
  assert.equal(await rotation.check(), false);
  assert.equal(log.lines.length, 0);
  await writeFile(file, 'generation 1');
  await mkdir(path.join(`${file}.1`, 'in the way'), { recursive: true });
  assert.equal(await rotation.check(), true);
  await writeFile(file, 'generation 2');
  await writeFile(`${file}.3`, 'a file where a folder would go');
  assert.equal(await rotation.check(), false);
  assert.equal(log.lines[0]?.message, 'a log file could not be rotated');
  assert.equal(await readFile(file, 'utf8'), 'generation 2');
  await rm(`${file}.3`);
  assert.equal(await rotation.check(), true);
  assert.equal(rotations(), 2);
});

test('a writer that fails to open the new file does not end the rotation', async (t) => {
  const { file, log, rotation } = await rotatedFolder(t, { onRotated: () => assert.fail('no descriptor left') });
  await writeFile(file, 'generation 1');
  assert.equal(await rotation.check(), true);
  assert.equal(log.lines[0]?.level, 'error');
});
