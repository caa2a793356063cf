import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { InstanceMemory, InstanceReport, RememberedInstance } from '../store/instance-registry.ts';
import { RememberingInstanceRegistry } from './remembering-instance-registry.ts';

const HOUR_MS = 3_600_000;
/** Renewals of the lease between two writes. */
const RENEWALS = 8;

function reportOf(instanceId: string, change: Partial<InstanceReport> = {}): InstanceReport {
  const held = { state: 'current', revision: 3, answeredRevision: 3, isConnected: true, isAwaited: true } as const;
  return { groupId: 'default', instanceId, connectionId: 1, softwareVersion: '1.2.3', connectedAtMs: 1, ...held, ...change };
}

/** A store that remembers, and notes each of its transactions. */
class RecordingMemory implements InstanceMemory {
  readonly kept = new Map<string, RememberedInstance>();
  readonly writes: string[] = [];
  isAway = false;

  async load(): Promise<readonly RememberedInstance[]> {
    return [...this.kept.values()];
  }

  async keep(instances: readonly RememberedInstance[]): Promise<void> {
    if (this.isAway) throw new Error('the disk is full');
    this.writes.push(instances.map(({ report }) => report.instanceId).join(' '));
    for (const each of instances) this.kept.set(each.report.instanceId, each);
  }

  async forget(instances: readonly Pick<InstanceReport, 'instanceId'>[]): Promise<void> {
    for (const { instanceId } of instances) this.kept.delete(instanceId);
  }
}

function installation() {
  const [memory, clock, log] = [new RecordingMemory(), new FakeClock(), new RecordingLogger()];
  const open = () => RememberingInstanceRegistry.open({ memory, clock, log });
  const renew = async (registry: RememberingInstanceRegistry, times = RENEWALS): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      clock.advance(2_000);
      await registry.renew();
    }
    // Behind what is being written, and nothing is old enough.
    await registry.forget(Number.MAX_SAFE_INTEGER);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { memory, clock, log, open, renew };
}

test('a start knows the instances of before, whether that one ended or was killed, and for how long they have been away', async () => {
  const { memory, clock, open, renew } = installation();
  const first = await open();
  await first.report([reportOf('killed-with'), reportOf('gone')], []);
  await first.report([], [reportOf('gone', { isConnected: false })]);
  await renew(first);
  clock.advance(3 * HOUR_MS);
  const second = await open();
  const listed = await second.list('default');
  assert.deepEqual(
    listed.map(({ instanceId, isConnected, isAwaited, revision }) => [instanceId, isConnected, isAwaited, revision]),
    [
      ['gone', false, false, 3],
      ['killed-with', false, false, 3],
    ],
  );
  for (const { silentMs } of listed) assert.ok(silentMs >= 3 * HOUR_MS && silentMs < 3 * HOUR_MS + 60_000, String(silentMs));
  await second.report([reportOf('killed-with', { revision: 4 })], []);
  await second.leave();
  assert.equal(memory.kept.get('killed-with')?.report.isConnected, false);
  clock.advance(1_000);
  const third = await open();
  assert.deepEqual(
    (await third.list('default')).map(({ instanceId, revision, silentMs }) => [instanceId, revision, silentMs >= HOUR_MS]),
    [
      ['gone', 3, true],
      ['killed-with', 4, false],
    ],
  );
});

test('who comes for the first time is written down at once, everything else together and only where it says something new', async () => {
  const { memory, open, renew } = installation();
  const registry = await open();
  await registry.report([reportOf('a'), reportOf('b')], []);
  await renew(registry, 1);
  assert.deepEqual(memory.writes.splice(0), ['a b']);
  for (let revision = 4; revision < 100; revision += 1) await registry.report([], [reportOf('a', { revision })]);
  await registry.report([reportOf('b', { connectionId: 2 })], []);
  assert.deepEqual(memory.writes, []);
  await renew(registry);
  assert.deepEqual(memory.writes.splice(0), ['a b']);
  await renew(registry);
  assert.deepEqual(memory.writes.splice(0), [], 'nothing has changed');
  await renew(registry, 5 * RENEWALS);
  assert.deepEqual(memory.writes.splice(0), ['a b'], 'that they are still connected');
});

test('what cannot be written is told and tried again, and nobody waits for it', async () => {
  const { memory, log, open, renew } = installation();
  const registry = await open();
  memory.isAway = true;
  await registry.report([reportOf('a')], []);
  await renew(registry, 1);
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 1);
  assert.equal((await registry.list('default')).length, 1);
  memory.isAway = false;
  await renew(registry);
  assert.deepEqual(memory.writes, ['a']);
});

test('what has been away for long enough is forgotten here and in the store', async () => {
  const { memory, clock, open, renew } = installation();
  const registry = await open();
  await registry.report([reportOf('a'), reportOf('b')], []);
  await registry.report([], [reportOf('b', { isConnected: false })]);
  await renew(registry);
  clock.advance(HOUR_MS);
  assert.equal(await registry.forget(HOUR_MS), 1);
  assert.deepEqual([...memory.kept.keys()], ['a']);
  assert.deepEqual((await registry.list('default')).length, 1);
});
