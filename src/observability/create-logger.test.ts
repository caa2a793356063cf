import assert from 'node:assert/strict';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { PortcullisError, StartError } from '../errors/index.ts';
import { createLogger, type ProcessLogger } from './create-logger.ts';
import type { LogFields, LogLevel } from './logger.ts';

interface LogOnDisk {
  readonly file: string;
  readonly clock: FakeClock;
  readonly log: ProcessLogger;
  text(): Promise<string>;
  lines(): Promise<readonly Record<string, unknown>[]>;
}

async function logOnDisk(t: TestContext, options: { readonly level?: LogLevel; readonly base?: LogFields } = {}): Promise<LogOnDisk> {
  const file = path.join(await temporaryFolder(t), 'events.log');
  const clock = new FakeClock(Date.parse('2026-01-02T03:04:05.678Z'));
  const log = createLogger({ destination: { kind: 'file', file }, level: options.level ?? 'info', clock, base: options.base ?? {} });
  t.after(() => log.close());
  const text = (): Promise<string> => readFile(file, 'latin1');
  return { file, clock, log, text, lines: async () => parseLines(await text()) };
}

function parseLines(text: string): readonly Record<string, unknown>[] {
  assert.ok(text === '' || text.endsWith('\n'));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test('a line carries level, time, the base fields, its own fields and the message', async (t) => {
  const { log, lines } = await logOnDisk(t, { base: { process: 'gateway', pid: 7 } });
  log.child({ worker: 2 }).warn('a worker was replaced', { reason: 'heap', restarts: 3, planned: false, gone: undefined, next: null });
  assert.deepEqual(await lines(), [
    {
      level: 'warn',
      time: '2026-01-02T03:04:05.678Z',
      process: 'gateway',
      pid: 7,
      worker: 2,
      reason: 'heap',
      restarts: 3,
      planned: false,
      next: null,
      message: 'a worker was replaced',
    },
  ]);
});

test('a field given twice stands once, with the value given last', async (t) => {
  const { log, text } = await logOnDisk(t, { base: { part: 'base' } });
  log.child({ part: 'child' }).info('x', { part: 'line' });
  assert.equal((await text()).match(/"part"/g)?.length, 1);
  assert.match(await text(), /"part":"line"/);
});

test('fields cannot pass themselves off as the level, the time or the message of a line', async (t) => {
  const { log, lines } = await logOnDisk(t);
  log.info('real', { level: 'error', time: 'never', message: 'forged' });
  const [line] = await lines();
  assert.deepEqual(line, {
    level: 'info',
    time: '2026-01-02T03:04:05.678Z',
    level_: 'error',
    time_: 'never',
    message_: 'forged',
    message: 'real',
  });
});

test('line breaks, terminal controls and everything outside ASCII are escaped, and the value survives', async (t) => {
  const { log, text, lines } = await logOnDisk(t);
  const hostile = 'a\r\nb\u001b[31m\u007f\u009b2J\u202e\u00e9\u{1f600}\ud800"\\';
  log.info(hostile, { path: hostile, [hostile]: 1 });
  assert.match(await text(), /^[\x20-\x7e]+\n$/);
  const [line] = await lines();
  assert.equal(line?.message, hostile);
  assert.equal(line?.path, hostile);
  assert.equal(line?.[hostile], 1);
});

test('percent signs in a message stay as they are', async (t) => {
  const { log, lines } = await logOnDisk(t);
  log.info('100%% of %s %d %j', { path: '%s' });
  assert.equal((await lines())[0]?.message, '100%% of %s %d %j');
});

test('fields named like secrets are blanked', async (t) => {
  const { log, text } = await logOnDisk(t, { base: { token: 'leaked-base' } });
  log
    .child({ password: 'leaked-child' })
    .info('x', { apiKey: 'leaked-1', 'x-api-key': 'leaked-2', authorization: 'leaked-3', secret: 'leaked-4' });
  assert.doesNotMatch(await text(), /leaked/);
  assert.match(await text(), /"apiKey":"\[secret\]"/);
});

test('a long text is cut, with a word of how much is missing', async (t) => {
  const { log, lines } = await logOnDisk(t);
  log.info('m'.repeat(1_000_000), { path: 'p'.repeat(1_000_000) });
  const [line] = await lines();
  assert.equal(String(line?.path).length, 4096 + '… (995904 more)'.length);
  assert.match(String(line?.message), /… \(995904 more\)$/);
});

test('an error is told with name, message, stack, code and its causes', async (t) => {
  const { log, lines } = await logOnDisk(t);
  const root = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  log.error('a write failed', { store: 'sqlite' }, new PortcullisError('store_unavailable', { detail: 'commit failed', cause: root }));
  const error = (await lines())[0]?.error as { stack: string; cause: { stack: string } };
  assert.match(error.stack, /commit failed\n {4}at /);
  assert.deepEqual(
    { ...error, stack: '', cause: { ...error.cause, stack: '' } },
    {
      name: 'PortcullisError',
      message: 'commit failed',
      stack: '',
      code: 'store_unavailable',
      cause: { name: 'Error', message: 'no space', stack: '', code: 'ENOSPC' },
    },
  );
});

test('whatever was thrown can be told: causes in a circle, getters that throw, values that are no errors', async (t) => {
  const { log, lines } = await logOnDisk(t);
  const circle = new Error('round');
  circle.cause = circle;
  const trap = new Error('trap');
  Object.defineProperty(trap, 'message', { get: () => assert.fail('never seen') });
  const thrown: readonly unknown[] = [
    circle,
    trap,
    'text',
    null,
    Object.create(null),
    Symbol('s'),
    { toString: () => assert.fail('never seen') },
  ];
  for (const value of thrown) log.error('caught', {}, value);
  const told = (await lines()).map((line) => (line.error as { name: string }).name);
  assert.deepEqual(told, ['Error', 'Unknown', 'string', 'object', 'Unknown', 'symbol', 'Unknown']);
});

test('the level holds for children that exist already, and changes at run time', async (t) => {
  const { log, lines } = await logOnDisk(t, { level: 'warn' });
  const child = log.child({ part: 'child' });
  child.info('unheard');
  log.setLevel('debug');
  child.debug('heard');
  log.setLevel('error');
  child.warn('unheard again');
  assert.deepEqual(
    (await lines()).map((line) => line.message),
    ['heard'],
  );
});

test('the file is readable by its owner only, and a second start appends', async (t) => {
  const { file, log, lines } = await logOnDisk(t);
  log.info('first');
  await log.close();
  log.info('after the end');
  const second = createLogger({ destination: { kind: 'file', file }, level: 'info', base: {} });
  second.info('second');
  await second.close();
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(
    (await lines()).map((line) => line.message),
    ['first', 'second'],
  );
});

test('lines go to a new file of the same name soon after the old one was renamed', async (t) => {
  const { file, clock, log, lines } = await logOnDisk(t);
  log.info('one');
  await rename(file, `${file}.1`);
  log.info('two');
  clock.advance(1001);
  log.info('three');
  log.flush();
  assert.equal(parseLines(await readFile(`${file}.1`, 'latin1')).length, 2);
  assert.deepEqual(
    (await lines()).map((line) => line.message),
    ['three'],
  );
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a flood is dropped and counted, and leaves room for errors', async (t) => {
  const { clock, log, lines } = await logOnDisk(t, { base: { process: 'gateway' } });
  for (let count = 0; count < 5000; count += 1) log.warn('flood');
  log.error('still heard');
  const counted = await lines();
  assert.equal(counted.filter((line) => line.message === 'flood').length, 1000);
  assert.deepEqual(counted.slice(-2), [
    { level: 'warn', time: '2026-01-02T03:04:05.678Z', process: 'gateway', dropped: 4000, message: 'log lines were dropped' },
    { level: 'error', time: '2026-01-02T03:04:05.678Z', process: 'gateway', message: 'still heard' },
  ]);
  clock.advance(500);
  for (let count = 0; count < 5000; count += 1) log.warn('again');
  assert.equal((await lines()).filter((line) => line.message === 'again').length, 500);
});

test('a full disk neither throws nor stops the process', { skip: process.platform !== 'linux' }, async () => {
  const log = createLogger({ destination: { kind: 'file', file: '/dev/full' }, level: 'info', base: {} });
  log.info('lost');
  log.error('lost too', {}, new Error('x'));
  await log.close();
});

test('a log file that cannot be opened is one sentence for a person', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'file'), '');
  const file = path.join(folder, 'file', 'events.log');
  assert.throws(
    () => createLogger({ destination: { kind: 'file', file }, level: 'info', base: {} }),
    (error) => error instanceof StartError && error.message.includes(file) && error.message.includes('ENOTDIR'),
  );
});

test('threads that log to one file at once do not mix their lines', async (t) => {
  const { file, log, lines } = await logOnDisk(t);
  const program = `
    const { createLogger } = await import(${JSON.stringify(new URL('./create-logger.ts', import.meta.url).href)});
    const log = createLogger({ destination: { kind: 'file', file: ${JSON.stringify(file)} }, level: 'info', base: {} });
    for (let count = 0; count < 300; count += 1) log.info('x'.repeat(1 + (count * 7) % 3000));
  `;
  const threads = [1, 2].map(() => new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`)));
  for (let count = 0; count < 300; count += 1) log.info('main');
  await Promise.all(threads.map((thread) => new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject))));
  assert.equal((await lines()).length, 900);
});
