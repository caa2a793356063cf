import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { UsageInDoubt, type UsageRow, type UsageStore } from '../../store/index.ts';
import { startUsageRecorder } from './start-usage-recorder.ts';

const NAME = { groupId: 'default', instanceId: 'one' };

function makeRecorder() {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const store = {
    isAway: false,
    rowsOfHour: 0,
    written: [] as UsageRow[],
    calls: 0,
    doubts: [] as (() => Promise<boolean>)[],
    onRecord: () => {},
  };
  const failIfAway = (): void => {
    if (store.isAway) throw new Error('the store is away');
  };
  const usage: UsageStore = {
    record: async (rows) => {
      failIfAway();
      const doubt = store.doubts.shift();
      if (doubt !== undefined) throw new UsageInDoubt(new Error('the connection was lost'), doubt);
      store.calls++;
      store.written.push(...rows);
      store.onRecord();
    },
    countRows: async () => {
      failIfAway();
      return store.rowsOfHour;
    },
    find: async () => [],
    lastUse: async () => undefined,
    unusedCredentials: async () => ({ unused: [], next: undefined }),
    prune: async () => 0,
  };
  const recorder = startUsageRecorder({ usage, clock, log });
  let writtenUpTo = 0;
  recorder.onWritten((upTo) => {
    assert.ok(upTo >= writtenUpTo);
    writtenUpTo = upTo;
  });
  let sequence = 0;
  /** @returns whether it is said to be written by now */
  const tell = (credentials: number, more: { readonly soon?: boolean; readonly name?: typeof NAME } = {}): (() => boolean) => {
    const at = Math.floor(clock.nowMs() / 1000);
    const entries = Array.from({ length: credentials }, (_, index) => ['jack', `c${index}`, 'r', 200, 1, at] as const);
    const { name = NAME, soon = false } = more;
    const number = recorder.take(name, { epoch: 'a', sequence: ++sequence, entries, soon });
    return () => number <= writtenUpTo;
  };
  const pass = async (): Promise<void> => {
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, log, store, recorder, tell, pass };
}

test('what was told is written once an interval, a part at a time', async () => {
  const { store, tell, pass } = makeRecorder();
  tell(1200);
  tell(1200);
  assert.equal(store.calls, 0);
  await pass();
  assert.deepEqual([store.calls, store.written.length], [3, 1200]);
  assert.ok(store.written.every(({ requests }) => requests === 2));
  await pass();
  assert.equal(store.calls, 3);
});

test('while the store is away what is told is kept, and written once when it is back', async () => {
  const { store, log, tell, pass } = makeRecorder();
  store.isAway = true;
  for (let interval = 0; interval < 3; interval++) {
    tell(2);
    await pass();
  }
  assert.deepEqual(store.written, []);
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 3);
  store.isAway = false;
  await pass();
  assert.deepEqual(
    store.written.map(({ credential, requests }) => [credential, requests]),
    [
      ['c0', 3],
      ['c1', 3],
    ],
  );
});

/** Of a commit whose outcome the store cannot tell before it is over. */
class Doubt {
  isOver = false;
  readonly wasAdded: () => Promise<boolean>;

  constructor(wasThere: boolean) {
    this.wasAdded = async () => {
      if (!this.isOver) throw new Error('the commit is under way');
      return wasThere;
    };
  }
}

test('what is in doubt is written again only when it is known not to be there, and all else waits for that', async () => {
  for (const wasThere of [true, false]) {
    const { store, tell, pass } = makeRecorder();
    const doubt = new Doubt(wasThere);
    store.doubts.push(doubt.wasAdded);
    tell(700);
    await pass();
    tell(1);
    await pass();
    assert.equal(store.written.length, 0);
    doubt.isOver = true;
    await pass();
    await pass();
    const requests = store.written.reduce((sum, row) => sum + row.requests, 0);
    assert.equal(requests, wasThere ? 201 : 701);
  }
});

test('a message is said to be written when it is, and not before', async () => {
  const { store, tell, pass } = makeRecorder();
  const [one, two] = [tell(2), tell(2, { name: { ...NAME, instanceId: 'two' } })];
  assert.deepEqual([one(), two()], [false, false]);
  let later: (() => boolean) | undefined;
  store.onRecord = () => {
    later ??= tell(1);
    assert.deepEqual([one(), two()], [false, false]);
  };
  await pass();
  assert.deepEqual([one(), two(), later?.()], [true, true, false]);
  store.onRecord = () => undefined;
  await pass();
  assert.equal(later?.(), true);
});

test('while the store is away nobody is told anything, and afterwards all whose rows are there', async () => {
  const { store, tell, pass } = makeRecorder();
  store.isAway = true;
  const told = [];
  for (let interval = 0; interval < 3; interval++) {
    told.push(tell(2, { soon: true, name: { ...NAME, instanceId: `i${interval}` } }));
    await pass();
  }
  assert.ok(told.every((isWritten) => !isWritten()));
  store.isAway = false;
  await pass();
  assert.ok(told.every((isWritten) => isWritten()));
});

test('where a later part of what is written fails, nobody is told, since nobody knows whose rows these are', async () => {
  const { store, tell, pass } = makeRecorder();
  const early = tell(700);
  store.onRecord = () => {
    store.isAway = true;
  };
  await pass();
  assert.deepEqual([store.written.length, early()], [500, false]);
  const late = tell(1);
  store.onRecord = () => undefined;
  store.isAway = false;
  await pass();
  assert.deepEqual([early(), late()], [true, true]);
  assert.equal(
    store.written.reduce((sum, row) => sum + row.requests, 0),
    701,
  );
});

test('what is in doubt is not said to be written, nor anything that came later, before the doubt has ended and the rest is there', async () => {
  for (const wasThere of [true, false]) {
    const { store, tell, pass } = makeRecorder();
    const doubt = new Doubt(wasThere);
    store.doubts.push(doubt.wasAdded);
    const early = tell(700);
    await pass();
    const late = tell(1);
    await pass();
    assert.deepEqual([early(), late()], [false, false]);
    doubt.isOver = true;
    store.isAway = true;
    await pass();
    assert.deepEqual([early(), late()], [false, false]);
    store.isAway = false;
    await pass();
    assert.deepEqual([early(), late()], [true, true]);
  }
});

test('what is asked to be written soon is written at once, but not while the store is away', async () => {
  const { clock, store, tell, pass } = makeRecorder();
  await pass();
  const turn = async (durationMs: number): Promise<void> => {
    clock.advance(durationMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await turn(1_000);
  const soon = tell(1, { soon: true });
  await turn(0);
  assert.equal(soon(), true);
  store.isAway = true;
  const away = tell(1, { soon: true });
  await turn(250);
  store.isAway = false;
  tell(1, { soon: true });
  await turn(1_000);
  assert.equal(away(), false);
  await turn(9_000);
  assert.equal(away(), true);
});

test('a group that has told too much apart in an hour is told apart by status only', async () => {
  const { store, tell, pass } = makeRecorder();
  store.rowsOfHour = 100_000;
  tell(3);
  await pass();
  assert.ok(store.written.every(({ consumer, credential, route }) => consumer === '*' && credential === '*' && route === '*'));
});

test('at the end what is left is written, and nothing goes on', async () => {
  const { clock, store, recorder, tell } = makeRecorder();
  tell(1);
  await recorder.stop();
  assert.deepEqual([store.written.length, clock.pendingTasks], [1, 0]);
});
