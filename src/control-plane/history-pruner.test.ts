import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { StoreHistory } from '../store/index.ts';
import { startHistoryPruner } from './history-pruner.ts';
import { makeAdminFixture } from './testing/admin-fixture.ts';

const HOUR_MS = 3_600_000;
const RETENTION = { versionDays: 90, versionMebibytes: 1_024, auditDays: 180, auditMebibytes: 1_024 };
const SYSTEM = { id: 'system', name: 'system' };

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

test('old history goes in small steps once an hour, also after a failure, until the pruner is stopped', async () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const results: (number | Error)[] = [500, 20, 0, new Error('disk full'), 0];
  const calls: Parameters<StoreHistory['pruneHistory']>[0][] = [];
  const pruneHistory: StoreHistory['pruneHistory'] = async (limits) => {
    calls.push(limits);
    const result = results.shift() ?? 0;
    if (result instanceof Error) throw result;
    return result;
  };
  const measureHistory: StoreHistory['measureHistory'] = async () => ({ below: undefined, bytes: 0, cut: undefined });
  const readChainEnd: StoreHistory['readChainEnd'] = async () => ({ number: 7, hash: Buffer.alloc(32, 1) });
  const stop = startHistoryPruner({ store: { pruneHistory, measureHistory, readChainEnd }, retention: RETENTION, clock, log });
  assert.equal(calls.length, 0);
  const startedAt = clock.nowMs() / 1000;
  clock.advance(HOUR_MS);
  await until(() => clock.pendingTasks === 1);
  assert.equal(calls.length, 3);
  assert.equal(calls[0]?.versionsBefore, startedAt + 3_600 - 90 * 86_400);
  assert.equal(calls[0]?.auditBefore, startedAt + 3_600 - 180 * 86_400);
  assert.equal(calls[0]?.versionsBelow, undefined);
  clock.advance(HOUR_MS);
  await until(() => clock.pendingTasks === 1);
  assert.equal(log.lines.filter((line) => line.level === 'error').length, 1);
  clock.advance(HOUR_MS);
  await until(() => clock.pendingTasks === 1);
  assert.equal(calls.length, 5);
  await stop();
  assert.equal(clock.pendingTasks, 0);
  clock.advance(HOUR_MS);
  assert.equal(calls.length, 5);
  const ends = log.lines.filter(({ message }) => message === 'the audit log ends here');
  assert.deepEqual(
    ends.map(({ fields }) => fields.noted),
    Array.from({ length: 2 }, () => `7:${'01'.repeat(32)}`),
  );
});

test('what is more than the sizes allow goes, the oldest first', async (t: TestContext) => {
  const { store, clock, log } = await makeAdminFixture(t);
  const key = { groupId: 'default', kind: 'service', parentId: '', id: 's' };
  for (let n = 1; n <= 4; n += 1) {
    await store.transaction(SYSTEM, async (transaction) => {
      const document = { n, text: 'x'.repeat(400_000) };
      await transaction.putResource({ key, document, secretPointers: [], unique: [], owner: undefined });
      await transaction.appendAudit({
        ...{ at: Math.floor(clock.nowMs() / 1000), author: SYSTEM, action: 'a', groupId: 'default', resource: 'r', address: undefined },
        detail: { text: 'x'.repeat(400_000) },
      });
    });
  }
  const retention = { ...RETENTION, versionMebibytes: 1, auditMebibytes: 1 };
  const stop = startHistoryPruner({ store, retention, clock, log });
  const before = clock.pendingTasks;
  clock.advance(HOUR_MS);
  await until(() => clock.pendingTasks === before);
  await stop();
  assert.deepEqual(
    (await store.listVersions(key, 9)).map(({ revision }) => revision),
    [4, 3],
  );
  assert.equal((await store.pageOfAudit(undefined, 9)).length, 2);
  assert.equal(await store.historyKeptFrom('default'), 3);
});
