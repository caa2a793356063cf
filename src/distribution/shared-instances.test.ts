import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import type { InstanceRegistry, RegisteredInstance } from '../store/instance-registry.ts';
import { SharedInstances } from './shared-instances.ts';

const OTHER: RegisteredInstance = {
  groupId: 'default',
  instanceId: 'i-1',
  connectionId: 1,
  softwareVersion: '1.2.3',
  connectedAtMs: 1,
  state: 'current',
  revision: 7,
  answeredRevision: 7,
  isConnected: true,
  isAwaited: true,
  controlPlaneId: 'other',
  silentMs: 0,
};

function sharing() {
  const state: { listed: readonly RegisteredInstance[] | Error; onRead: () => void; hint: (groupId: string) => void } = {
    listed: [OTHER],
    onRead: () => {},
    hint: () => {},
  };
  const registry: InstanceRegistry = {
    controlPlaneId: 'own',
    renew: async () => ({ histories: [], wasExpired: false }),
    report: async () => {},
    list: async () => [],
    listOthers: async () => {
      const { listed, onRead } = state;
      onRead();
      if (listed instanceof Error) throw listed;
      return listed;
    },
    forget: async () => 0,
    watch: (onHint) => {
      state.hint = onHint;
      return async () => {};
    },
    leave: async () => {},
  };
  const history = { id: 'history', isPresent: async () => true, accepts: () => true };
  const shared = new SharedInstances({ registry, history, clock: new FakeClock(), log: new RecordingLogger(), onStoreReplaced: () => {} });
  return { shared, state };
}

test('where the registry cannot be read, nobody is said to have a revision in force', async () => {
  const { shared, state } = sharing();
  state.listed = new Error('the database is away');
  assert.deepEqual(await shared.waitApplied('default', 8, 0), { applied: 0, expected: 1, lagging: ['unknown'] });
  state.listed = [OTHER];
  assert.deepEqual(await shared.waitApplied('default', 7, 0), { applied: 1, expected: 1, lagging: [] });
  state.listed = new Error('the database is away');
  assert.deepEqual(await shared.waitApplied('default', 8, 0), { applied: 0, expected: 1, lagging: ['i-1'] });
  state.listed = [];
  assert.deepEqual(await shared.waitApplied('default', 8, 0), { applied: 0, expected: 0, lagging: [] });
  state.listed = new Error('the database is away');
  assert.deepEqual(await shared.waitApplied('default', 9, 0), { applied: 0, expected: 0, lagging: [] });
});

test('an answer that is told while the registry is being read ends the wait at once', async () => {
  const { shared, state } = sharing();
  shared.start();
  state.onRead = () => {
    state.onRead = () => {};
    state.listed = [{ ...OTHER, revision: 8, answeredRevision: 8 }];
    state.hint('default');
  };
  // No clock goes on here.
  assert.deepEqual(await shared.waitApplied('default', 8, 1_000), { applied: 1, expected: 1, lagging: [] });
  await shared.close();
});

test('why an instance of another control plane refused a revision is told, until it has a later one', async () => {
  const { shared, state } = sharing();
  const refused = { revision: 8, reason: 'route r: no such plugin' };
  state.listed = [{ ...OTHER, answeredRevision: 8, refused }];
  assert.deepEqual(await shared.waitApplied('default', 8, 0), {
    ...{ applied: 0, expected: 1, lagging: ['i-1'] },
    refusedElsewhere: [{ instanceId: 'i-1', refused }],
  });
  assert.equal((await shared.waitApplied('default', 9, 0)).refusedElsewhere, undefined);
});
