import assert from 'node:assert/strict';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { StartError } from '../errors/index.ts';
import { type AccessLog, openAccessLog } from './access-log.ts';

function write(accessLog: AccessLog, line: string): void {
  const writer = accessLog.beginLine();
  if (writer === undefined) return;
  writer.appendAscii(line);
  accessLog.endLine();
}

const linuxOnly = { skip: process.platform !== 'linux' };

interface OpenedLog {
  readonly file: string;
  readonly clock: FakeClock;
  readonly log: RecordingLogger;
  readonly accessLog: AccessLog;
}

async function openedLog(t: TestContext, options: { readonly file?: string; readonly maxBufferedBytes?: number } = {}): Promise<OpenedLog> {
  const file = options.file ?? path.join(await temporaryFolder(t), 'access.log');
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const accessLog = openAccessLog({ file, maxBufferedBytes: options.maxBufferedBytes ?? 1024 * 1024, clock, log });
  t.after(() => accessLog.close());
  return { file, clock, log, accessLog };
}

test('lines arrive whole and in order, in a file of mode 0600', async (t) => {
  const { file, accessLog } = await openedLog(t);
  const lines = Array.from({ length: 3000 }, (_, index) => JSON.stringify({ index, path: '/'.repeat(index % 200) }));
  for (const line of lines) write(accessLog, line);
  await accessLog.flush();
  assert.equal(await readFile(file, 'utf8'), `${lines.join('\n')}\n`);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(accessLog.dropped, 0);
});

test('many batches, some of them waited for, arrive whole and in order over reopened files', async (t) => {
  const { file, accessLog } = await openedLog(t, { maxBufferedBytes: 64 * 1024 * 1024 });
  const lines = Array.from({ length: 20_000 }, (_, index) => JSON.stringify({ index, path: '/'.repeat(index % 100) }));
  const half = lines.length / 2;
  for (const [index, line] of lines.entries()) {
    if (index === half) {
      await rename(file, `${file}.old`);
      accessLog.reopen();
    }
    write(accessLog, line);
    // Each third batch or so is on the disk before the next one begins, and its memory free to be used again.
    if (index % 3000 === 0) await accessLog.flush();
  }
  await accessLog.flush();
  assert.equal((await readFile(`${file}.old`, 'utf8')) + (await readFile(file, 'utf8')), `${lines.join('\n')}\n`);
});

test('a single line does not wait for a full batch', async (t) => {
  const { file, clock, accessLog } = await openedLog(t);
  write(accessLog, '{"only":1}');
  assert.equal(clock.pendingTasks, 1);
  assert.equal(await readFile(file, 'utf8'), '');
  clock.advance(200);
  await accessLog.flush();
  assert.equal(await readFile(file, 'utf8'), '{"only":1}\n');
  assert.equal(clock.pendingTasks, 0);
});

test('a line that was begun and not ended leaves nothing behind', async (t) => {
  const { file, accessLog } = await openedLog(t);
  write(accessLog, '{"at":1}');
  accessLog.beginLine()?.appendAscii('{"half":');
  write(accessLog, '{"at":2}');
  accessLog.beginLine()?.appendAscii('{"half":');
  await accessLog.flush();
  assert.equal(await readFile(file, 'utf8'), '{"at":1}\n{"at":2}\n');
});

test('under pressure lines are dropped and counted, and the kept ones are whole', async (t) => {
  const { file, accessLog } = await openedLog(t, { maxBufferedBytes: 100_000 });
  const line = JSON.stringify({ path: 'x'.repeat(988) });
  for (let count = 0; count < 500; count += 1) write(accessLog, line);
  assert.equal(accessLog.dropped, 400);
  await accessLog.flush();
  write(accessLog, '{"after":1}');
  await accessLog.flush();
  assert.equal(await readFile(file, 'utf8'), `${`${line}\n`.repeat(100)}{"after":1}\n`);
});

test('after a rename and a reopen no line is lost, and new lines are in the new file', async (t) => {
  const { file, accessLog } = await openedLog(t);
  write(accessLog, '{"at":1}');
  await accessLog.flush();
  write(accessLog, '{"at":2}');
  await rename(file, `${file}.1`);
  write(accessLog, '{"at":3}');
  accessLog.reopen();
  write(accessLog, '{"at":4}');
  await accessLog.close();
  assert.equal(await readFile(`${file}.1`, 'utf8'), '{"at":1}\n{"at":2}\n{"at":3}\n');
  assert.equal(await readFile(file, 'utf8'), '{"at":4}\n');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('when the new file cannot be opened the old one goes on, and that is told once', async (t) => {
  const { file, log, accessLog } = await openedLog(t);
  const folder = path.dirname(file);
  await rename(file, path.join(`${folder}`, 'aside'));
  await rename(folder, `${folder}-moved`);
  t.after(() => rm(`${folder}-moved`, { recursive: true }));
  accessLog.reopen();
  accessLog.reopen();
  write(accessLog, '{"at":1}');
  await accessLog.flush();
  assert.equal(await readFile(path.join(`${folder}-moved`, 'aside'), 'utf8'), '{"at":1}\n');
  assert.deepEqual(
    log.lines.map((line) => line.message),
    ['the access log cannot be reopened', 'the access log is written again'],
  );
});

test('a full disk costs lines, not the process, and is told once', linuxOnly, async (t) => {
  const { clock, log, accessLog } = await openedLog(t, { file: '/dev/full', maxBufferedBytes: 50_000 });
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 100; count += 1) write(accessLog, JSON.stringify({ path: 'x'.repeat(200) }));
    await accessLog.flush();
    clock.advance(1000);
    await accessLog.flush();
  }
  assert.ok(accessLog.dropped > 700);
  await accessLog.close();
  assert.equal(accessLog.dropped, 1000);
  assert.deepEqual(
    log.lines.map(({ level, message, fields }) => [level, message, fields.code]),
    [['warn', 'the access log cannot be written: lines are dropped', 'ENOSPC']],
  );
});

test('lines after the end are dropped and counted, and a second end does nothing', async (t) => {
  const { file, clock, accessLog } = await openedLog(t);
  write(accessLog, '{"at":1}');
  await accessLog.close();
  await accessLog.close();
  write(accessLog, '{"at":2}');
  accessLog.reopen();
  assert.equal(accessLog.dropped, 1);
  assert.equal(await readFile(file, 'utf8'), '{"at":1}\n');
  assert.equal(clock.pendingTasks, 0);
});

test('a file that cannot be opened is one sentence for a person', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'file'), '');
  const file = path.join(folder, 'file', 'access.log');
  assert.throws(
    () => openAccessLog({ file, maxBufferedBytes: 1000 }),
    (error) => error instanceof StartError && error.message.includes(file),
  );
});

test('threads that write to one file at once do not mix their lines', async (t) => {
  const { file } = await openedLog(t);
  const program = `
    const { openAccessLog } = await import(${JSON.stringify(new URL('./access-log.ts', import.meta.url).href)});
    const accessLog = openAccessLog({ file: ${JSON.stringify(file)}, maxBufferedBytes: 4e6 });
    for (let count = 0; count < 2000; count += 1) {
      accessLog.beginLine()?.appendAscii(JSON.stringify({ count, path: 'x'.repeat((count * 7) % 500) }));
      accessLog.endLine();
    }
    await accessLog.close();
  `;
  const threads = [1, 2].map(() => new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`)));
  await Promise.all(threads.map((thread) => new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject))));
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  assert.equal(lines.length, 4000);
  for (const line of lines) JSON.parse(line);
});
