import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { isAlive, untilGone } from '../../test-support/running-instance.ts';
import { StartError } from '../errors/index.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { JsonValue } from '../lib/json.ts';
import { SupervisedChild } from './supervised-child.ts';

const NOW = { delayMs: 0, timeoutMs: 1000 };

function supervised(t: TestContext, settings: JsonValue = 'serve', spareAfterMs?: number, clock: Clock = systemClock) {
  const events = new EventEmitter();
  const child = new SupervisedChild({
    name: 'echo',
    command: {
      file: fileURLToPath(new URL('./testing/echo-process.ts', import.meta.url)),
      descriptors: [],
      environment: process.env,
      runAs: undefined,
    },
    settings: () => settings,
    clock,
    log: new RecordingLogger(),
    replacedTimeoutMs: 1000,
    spareAfterMs,
    onEvent: (name, body) => events.emit(name, body),
  });
  t.after(() => child.kill());
  const nextStart = async () => (await once(events, 'started'))[0] as { readonly pid: number; readonly previousEnd: string };
  return { child, nextStart };
}

test('a role starts, answers questions, reports what it cannot answer, and stops', async (t) => {
  const { child, nextStart } = supervised(t);
  const [told, started] = await Promise.all([child.start(), nextStart()]);
  assert.deepEqual(told, { pid: child.pid });
  assert.deepEqual(started, { pid: child.pid, previousEnd: 'none' });
  assert.deepEqual(await child.request('echo', { a: 1 }), { a: 1 });
  await assert.rejects(child.request('fail', null), /no answer to that/);
  await child.stop(NOW);
  await assert.rejects(child.request('echo', null), /not running/);
});

test('what must be changed by a person, and a fault, end the first start and nothing is restarted', async (t) => {
  for (const [settings, message] of [
    ['refuse', 'A person must act.'],
    ['crash', 'The echo process ended before it served (exit code 70); see the log.'],
  ] as const) {
    const { child } = supervised(t, settings);
    await assert.rejects(child.start(), (error) => error instanceof StartError && error.message === message);
    await child.stop(NOW);
    assert.equal(child.pid, undefined);
  }
});

test('a process that dies is restarted and told how the one before it ended; an unanswered question is rejected', async (t) => {
  const { child, nextStart } = supervised(t);
  await Promise.all([child.start(), nextStart()]);
  const ends: string[] = [];
  for (const end of [() => child.request('exit', 0), () => child.request('exit', 3), () => process.kill(child.pid ?? 0, 'SIGKILL')]) {
    const restarted = nextStart();
    const question = Promise.resolve(end());
    if (ends.length < 2) await assert.rejects(question, /ended before it answered/);
    ends.push((await restarted).previousEnd);
  }
  assert.deepEqual(ends, ['clean', 'crashed', 'killed']);
});

test('a second SIGKILL in a row counts as a crash', async (t) => {
  const { child, nextStart } = supervised(t);
  await Promise.all([child.start(), nextStart()]);
  const ends: string[] = [];
  for (let kill = 0; kill < 2; kill++) {
    const restarted = nextStart();
    process.kill(child.pid ?? 0, 'SIGKILL');
    ends.push((await restarted).previousEnd);
  }
  assert.deepEqual(ends, ['killed', 'crashed']);
});

test('a replaced process goes only when its successor serves', async (t) => {
  const { child, nextStart } = supervised(t);
  const [, first] = await Promise.all([child.start(), nextStart()]);
  const successor = nextStart();
  child.replace();
  const second = await successor;
  assert.notEqual(second.pid, first.pid);
  assert.equal(second.previousEnd, 'replaced');
  assert.equal(child.pid, second.pid);
  await child.stop(NOW);
  assert.throws(() => process.kill(first.pid, 0), /ESRCH/);
});

test('a process asks the one that it has replaced, until that has ended', async (t) => {
  const { child, nextStart } = supervised(t);
  const [, first] = await Promise.all([child.start(), nextStart()]);
  await child.request('hold', null);
  assert.equal(await child.request('ask-former', 'echo'), 'alone');
  const successor = nextStart();
  child.replace();
  await successor;
  assert.equal(await child.request('ask-former', 'echo'), 'answered');
  assert.equal(await child.request('whether-gone', null), false);
  process.kill(first.pid, 0);
  // It ends rather than answer.
  assert.equal(await child.request('ask-former', 'exit'), 'answered');
  assert.throws(() => process.kill(first.pid, 0), /ESRCH/);
  while ((await child.request('whether-gone', null)) !== true) await new Promise(setImmediate);
  assert.equal(await child.request('ask-former', 'echo'), 'answered', 'nobody is left who could be asked');
  await child.stop(NOW);
});

test('a process that cannot answer is waited for until it has ended, and killed when it does not end', async (t) => {
  const clock = new FakeClock();
  const { child, nextStart } = supervised(t, 'serve', undefined, clock);
  const [, first] = await Promise.all([child.start(), nextStart()]);
  await child.request('hold', null);
  const successor = nextStart();
  child.replace();
  await successor;
  const answered = child.request('ask-former', 'fail');
  // The successor is ready when its questions are answered.
  assert.equal(await child.request('whether-gone', null), false);
  process.kill(first.pid, 0);
  while (isAlive(first.pid)) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  assert.equal(await answered, 'answered');
  await child.stop(NOW);
});

test('a spare process waits, takes the place of the one that dies or is replaced, and another one waits then', async (t) => {
  const { child, nextStart } = supervised(t, 'serve', 0);
  await Promise.all([child.start(), nextStart()]);
  const served = [child.pid];
  for (const [end, kind] of [
    [() => process.kill(child.pid ?? 0, 'SIGKILL'), 'killed'],
    [() => child.replace(), 'replaced'],
  ] as const) {
    const spare = await untilSpare(child);
    assert.ok(!served.includes(spare));
    const started = nextStart();
    end();
    assert.deepEqual(await started, { pid: spare, previousEnd: kind });
    assert.equal(child.pid, spare);
    served.push(spare);
  }
});

test('a spare process that dies is replaced by another, and a stop leaves none', async (t) => {
  const { child, nextStart } = supervised(t, 'serve', 0);
  await Promise.all([child.start(), nextStart()]);
  const first = await untilSpare(child);
  process.kill(first, 'SIGKILL');
  const second = await untilSpare(child, first);
  await child.stop(NOW);
  assert.equal(child.sparePid, undefined);
  await untilGone(second);
});

async function untilSpare(child: SupervisedChild, other?: number): Promise<number> {
  for (;;) {
    if (child.sparePid !== undefined && child.sparePid !== other) return child.sparePid;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
