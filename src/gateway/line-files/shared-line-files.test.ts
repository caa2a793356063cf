import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rename, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { systemClock } from '../../lib/clock.ts';
import { SharedLineFiles, type SharedLineFilesOptions } from './shared-line-files.ts';

const MAKE_PIPE = 'mkfifo';

interface Files {
  readonly files: SharedLineFiles;
  readonly folder: string;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
}

async function makeFiles(test: TestContext, options: Partial<SharedLineFilesOptions> = {}): Promise<Files> {
  const folder = await temporaryFolder(test);
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const files = new SharedLineFiles({ clock, log, ...options });
  test.after(() => files.close());
  return { files, folder, clock, log };
}

/** Waits until the file has this text; the test's own time-out ends a wait in vain. */
async function textBecomes(file: string, text: string): Promise<void> {
  while ((await readFile(file, 'utf8').catch(() => '')) !== text) await new Promise((resolve) => setImmediate(resolve));
}

test('lines are appended in order, in UTF-8, by all who opened the file, and are written within a tenth of a second', async (t) => {
  const { files, folder, clock } = await makeFiles(t);
  const file = path.join(folder, 'access.log');
  const [first, second] = [files.open(file), files.open(file)];
  assert.equal(first.append('one'), true);
  assert.equal(second.append('zwölf'), true);
  clock.advance(99);
  assert.equal(await readFile(file, 'utf8'), '');
  clock.advance(1);
  await textBecomes(file, 'one\nzwölf\n');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(files.dropped, 0);
});

test('a file is closed with the last who uses it, after its lines are written, and closing twice is closing once', async (t) => {
  const { files, folder } = await makeFiles(t);
  const file = path.join(folder, 'access.log');
  const [first, second] = [files.open(file), files.open(file)];
  first.close();
  first.close();
  assert.equal(first.append('lost'), false);
  assert.equal(second.append('kept'), true);
  second.close();
  await textBecomes(file, 'kept\n');
  const again = files.open(file);
  again.append('more');
  await files.close();
  assert.equal(await readFile(file, 'utf8'), 'kept\nmore\n');
  assert.equal(again.append('late'), false);
  again.close();
});

test('after reopening lines go to a new file, and none is lost', async (t) => {
  const { files, folder } = await makeFiles(t);
  const file = path.join(folder, 'access.log');
  const line = files.open(file);
  line.append('before');
  await rename(file, `${file}.1`);
  line.append('still before');
  files.reopen();
  line.append('after');
  await files.close();
  assert.equal(await readFile(`${file}.1`, 'utf8'), 'before\nstill before\n');
  assert.equal(await readFile(file, 'utf8'), 'after\n');
});

test('lines that the disk does not take are lost and counted, and memory stays bounded', async (t) => {
  const { files, folder } = await makeFiles(t, { maxWaitingBytes: 1000 });
  const file = path.join(folder, 'access.log');
  const line = files.open(file);
  const taken = Array.from({ length: 50 }, () => line.append('x'.repeat(99))).filter(Boolean).length;
  assert.equal(taken, 10);
  assert.equal(files.dropped, 40);
  await files.close();
  assert.equal((await readFile(file, 'utf8')).length, 1000);
  assert.equal(files.dropped, 40);
});

test('a file that cannot be opened is told once, its lines are lost, and it is tried again a second later; no folder is made', async (t) => {
  const { files, folder, clock, log } = await makeFiles(t);
  const file = path.join(folder, 'later', 'access.log');
  const line = files.open(file);
  assert.equal(line.append('lost'), false);
  assert.deepEqual(
    log.lines.map(({ level, message, fields }) => [level, message, fields]),
    [['warn', 'a log file of a plugin cannot be opened', { file, code: 'ENOENT' }]],
  );
  await mkdir(path.dirname(file));
  assert.equal(line.append('lost too'), false);
  clock.advance(1000);
  assert.equal(line.append('kept'), true);
  assert.equal(files.dropped, 2);
  await files.close();
  assert.equal(await readFile(file, 'utf8'), 'kept\n');
  assert.deepEqual(log.lines[1]?.fields, { file, dropped: 2 });
  assert.equal(log.lines.length, 2);
});

test('relative paths and paths into forbidden folders are refused, through links too', async (t) => {
  const folder = await temporaryFolder(t);
  const data = path.join(folder, 'data');
  await mkdir(data);
  await symlink(data, path.join(folder, 'link'));
  await symlink(path.join(data, 'journal'), path.join(folder, 'journal'));
  const log = new RecordingLogger();
  const files = new SharedLineFiles({ clock: new FakeClock(), log, forbiddenFolders: [path.join(folder, 'link')] });
  t.after(() => files.close());
  for (const refused of [
    'access.log',
    `${data}/journal`,
    `${folder}/x/../data/journal`,
    `${folder}/link/journal`,
    `${folder}/journal`,
    data,
  ]) {
    assert.equal(files.open(refused).append('x'), false, refused);
  }
  assert.equal(log.lines.length, 6);
  await assert.rejects(stat(path.join(data, 'journal')));
  assert.equal(files.open(path.join(folder, 'database.log')).append('x'), true);
});

test('a pipe without a reader does not stop the thread', async (t) => {
  const { files, folder, log } = await makeFiles(t);
  const pipe = path.join(folder, 'pipe');
  if (spawnSync(MAKE_PIPE, [pipe]).status !== 0) return t.skip('there is no mkfifo here');
  assert.equal(files.open(pipe).append('x'), false);
  assert.equal(log.lines[0]?.fields.code, 'ENXIO');
});

test('several writers of one file never mix lines', async (t) => {
  const { folder, log } = await makeFiles(t);
  const file = path.join(folder, 'access.log');
  const writers = ['a', 'b', 'c'].map((letter) => ({
    letter,
    files: new SharedLineFiles({ clock: systemClock, log }),
  }));
  const open = writers.map(({ letter, files }) => ({ letter, line: files.open(file) }));
  for (let round = 0; round < 3000; round++) for (const { letter, line } of open) line.append(letter.repeat(100));
  await Promise.all(writers.map(({ files }) => files.close()));
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  assert.equal(lines.length, 9000);
  for (const line of lines) assert.match(line, /^(?:a{100}|b{100}|c{100})$/);
});
