import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { systemRandom } from '../../lib/random.ts';
import type { SnapshotChange, SnapshotItem } from '../../schema/index.ts';
import { NameResolver } from '../names/index.ts';
import { CredentialIndexReader, CredentialIndexWriter } from '../tables/index.ts';
import { guideItems, routeItem, serviceItem } from '../testing/guide-items.ts';
import { keyDigestOf, TEST_SALT } from '../testing/test-gateway.ts';
import type { AgentMessage, RuntimeChange } from '../worker/worker-messages.ts';
import { ConfigurationSet } from './configuration-set.ts';
import { GatewayConfiguration } from './gateway-configuration.ts';
import { NodeNames } from './node-names.ts';
import type { ApplyOutcome } from './worker-fleet.ts';

/** A configuration whose workers are the test: it says how each change ends and sees what stands in the tables meanwhile. */
function start(outcomeOf: () => ApplyOutcome = () => ({ kind: 'committed' })) {
  const log = new RecordingLogger();
  const tables = new CredentialIndexWriter({ plugins: ['key-auth'], maxReaders: 1, random: systemRandom, log });
  const reader = new CredentialIndexReader(tables.handles, tables.registerReader());
  const names = new NodeNames(new NameResolver({ clock: new FakeClock(), random: systemRandom, log }));
  const set = new ConfigurationSet();
  const applied: (readonly RuntimeChange[])[] = [];
  const told: AgentMessage[] = [];
  const revisions: number[] = [];
  const isKnown = (key: string): boolean => reader.findByKey('key-auth', TEST_SALT, key) !== undefined;
  let whileCompiling: readonly boolean[] = [];
  const configuration = new GatewayConfiguration({
    set,
    names,
    tables,
    fleet: {
      broadcast: (message) => told.push(message),
      apply: async (changes, onPrepared) => {
        applied.push(changes);
        whileCompiling = [isKnown('secret-api-key'), isKnown('new-key')];
        const outcome = outcomeOf();
        if (outcome.kind === 'committed') onPrepared();
        return outcome;
      },
    },
    yieldTurn: () => Promise.resolve(),
    monotonicMs: () => 0,
    onApplied: (revision) => revisions.push(revision),
  });
  const load = (items: readonly SnapshotItem[], revision = 1): Promise<void> =>
    configuration.loadSnapshot(parts(items), { revision, keySalt: TEST_SALT });
  const change = (...changes: readonly SnapshotChange[]): Promise<void> =>
    configuration.applyDelta({ fromRevision: 1, toRevision: 2, changes });
  return { configuration, set, applied, told, revisions, isKnown, load, change, whileCompiling: () => whileCompiling };
}

async function* parts(items: readonly SnapshotItem[]): AsyncGenerator<readonly SnapshotItem[], void> {
  yield items;
}

const newCredential: SnapshotItem = { kind: 'credential', id: 'new', consumer: 'jack', value: {}, keys: [keyDigestOf('new-key')] };
const removeOld: SnapshotChange = { op: 'delete', name: { kind: 'credential', parentId: 'jack', id: 'cred' } };

test('what is taken away goes before the workers compile, what is new comes when they have', async () => {
  const { load, change, whileCompiling, isKnown } = start();
  await load(guideItems(80));
  await change({ op: 'put', item: newCredential }, { op: 'put', item: routeItem('r', { paths: ['/r'] }) }, removeOld);
  assert.deepEqual(whileCompiling(), [false, false]);
  assert.deepEqual([isKnown('secret-api-key'), isKnown('new-key')], [false, true]);
});

test('what this version cannot serve is refused whole before any worker hears of it, but what is taken away is gone', async () => {
  const { load, change, applied, set, isKnown } = start();
  await load(guideItems(80));
  const first = set.numbers.numberOf('route');
  const unservable: SnapshotItem = { kind: 'service', id: 'bad', value: { name: 'bad', type: 'stream' } };
  const put = [newCredential, routeItem('r', { paths: ['/r'] }), unservable].map((item) => ({ op: 'put', item }) as const);
  await assert.rejects(change(...put, removeOld), { message: /^service bad: .*stream/ });
  assert.equal(applied.length, 1);
  assert.deepEqual([isKnown('secret-api-key'), isKnown('new-key')], [false, false]);
  assert.deepEqual([[...set.services.keys()].includes('bad'), [...set.routes.keys()]], [false, ['route']]);
  assert.equal(set.numbers.idOf(first + 1), undefined);
});

test('a refused change enters nothing, keeps the set as it was, and is told by its reason', async () => {
  let refuse = false;
  const { load, change, set, isKnown, revisions } = start(() => (refuse ? { kind: 'refused', message: 'why' } : { kind: 'committed' }));
  await load(guideItems(80));
  refuse = true;
  const route = routeItem('r', { paths: ['/r'] });
  await assert.rejects(change({ op: 'put', item: newCredential }, { op: 'put', item: route }), { message: 'why' });
  assert.equal(isKnown('new-key'), false);
  assert.deepEqual([...set.routes.keys()], ['route']);
  assert.deepEqual(revisions, [1]);
});

test('a service that this version cannot serve is refused before any worker hears of it', async () => {
  const { change, applied } = start();
  await assert.rejects(change({ op: 'put', item: serviceItem(80, { type: 'stream' }) }), /cannot serve the service/);
  assert.deepEqual(applied, []);
});

test('a change of credentials alone costs the workers nothing', async () => {
  const { load, change, applied, isKnown, revisions } = start();
  await load(guideItems(80));
  applied.length = 0;
  await change({ op: 'put', item: newCredential });
  assert.equal(isKnown('new-key'), true);
  assert.deepEqual(applied, []);
  assert.deepEqual(revisions, [1, 2]);
});

test('a snapshot sends the workers only what differs, and removes what it does not hold', async () => {
  const { load, applied, isKnown } = start();
  await load([...guideItems(80), routeItem('gone', { paths: ['/gone'] })]);
  applied.length = 0;
  const [, ...withoutCredential] = guideItems(80);
  await load([...withoutCredential, routeItem('more', { paths: ['/more'] })], 5);
  assert.deepEqual(
    applied.flat().map((change) => `${change.op} ${change.id}`),
    ['delete-route gone', 'put-route more'],
  );
  assert.equal(isKnown('secret-api-key'), false);
});

test('the salt is told before the first digest counts, and only when it changes', async () => {
  const { load, told } = start();
  await load(guideItems(80));
  await load(guideItems(80), 2);
  assert.equal(told.filter((message) => message.kind === 'salt').length, 1);
  assert.equal(told[0]?.kind, 'salt');
});
