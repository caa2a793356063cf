import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { JsonObject } from '../../lib/json.ts';
import { systemRandom } from '../../lib/random.ts';
import { Type } from '../../plugin-kit/index.ts';
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

const TEST_PLUGINS = [
  { name: 'key-auth', schema: Type.Object({}) },
  {
    name: 'a-limit',
    schema: Type.Object({ count: Type.Integer(), policy: Type.Optional(Type.String({ default: 'local' })) }),
    metadataSchema: Type.Object({ header: Type.Optional(Type.String({ default: 'X-Limit' })) }),
  },
  { name: 'a-split', schema: Type.Object({}), upstreams: ({ upstream }: JsonObject) => [Object(upstream)] },
  { name: 'a-sign', schema: Type.Object({}), identityHeaders: ({ header }: JsonObject) => [String(header)] },
];

/** A configuration whose workers are the test: it says how each change ends and sees what stands in the tables meanwhile. */
function start(outcomeOf: () => ApplyOutcome = () => ({ kind: 'committed' })) {
  const log = new RecordingLogger();
  const tables = new CredentialIndexWriter({
    plugins: ['key-auth'],
    consumerPlugins: TEST_PLUGINS,
    maxReaders: 1,
    random: systemRandom,
    log,
  });
  const reader = new CredentialIndexReader(tables.handles, tables.registerReader());
  const names = new NodeNames(new NameResolver({ clock: new FakeClock(), random: systemRandom, log }));
  const set = new ConfigurationSet();
  const applied: (readonly RuntimeChange[])[] = [];
  const told: AgentMessage[] = [];
  const revisions: number[] = [];
  const isKnown = (key: string): boolean => reader.findByKey('key-auth', TEST_SALT, key) !== undefined;
  let whileCompiling: readonly boolean[] = [];
  const configuration = new GatewayConfiguration({
    plugins: TEST_PLUGINS,
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
  return { configuration, set, names, reader, applied, told, revisions, isKnown, load, change, whileCompiling: () => whileCompiling };
}

/** What a change is about, e.g. `put-route r`. */
function nameOf(change: RuntimeChange): string {
  return `${change.op} ${'plugin' in change ? change.plugin : change.id}`;
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
  const upstream = { discovery_type: 'consul', service_name: 'x' };
  const unservable: SnapshotItem = { kind: 'service', id: 'bad', value: { name: 'bad', type: 'stream', upstream } };
  const put = [newCredential, routeItem('r', { paths: ['/r'] }), unservable].map((item) => ({ op: 'put', item }) as const);
  await assert.rejects(change(...put, removeOld), { message: /^service bad: .*discovery by consul/ });
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
  assert.deepEqual(applied.flat().map(nameOf), ['delete-route gone', 'put-route more']);
  assert.equal(isKnown('secret-api-key'), false);
});

test('the salt is told before the first digest counts, and only when it changes', async () => {
  const { load, told } = start();
  await load(guideItems(80));
  await load(guideItems(80), 2);
  assert.equal(told.filter((message) => message.kind === 'salt').length, 1);
  assert.equal(told[0]?.kind, 'salt');
});

const rule: SnapshotItem = { kind: 'global_rule', id: 'a-limit', value: { plugins: { 'a-limit': { count: 2 } } } };
const metadata: SnapshotItem = { kind: 'plugin_metadata', id: 'a-limit', value: {} };

test('global rules and plugin metadata reach the workers read, with their defaults in place', async () => {
  const { load, change, applied, set } = start();
  await load([...guideItems(80), rule, metadata]);
  const READ_LIMIT = { kind: 'ready', configuration: { count: 2, policy: 'local' } };
  const [put] = applied.flat().filter((each) => each.op === 'put-global-rule');
  assert.deepEqual([put?.id, [...(put?.settings.keys() ?? [])]], ['a-limit', ['a-limit']]);
  assert.partialDeepStrictEqual(put?.settings.get('a-limit'), READ_LIMIT);
  assert.deepEqual(
    applied.flat().filter((each) => each.op === 'put-plugin-metadata'),
    [{ op: 'put-plugin-metadata', plugin: 'a-limit', value: { header: 'X-Limit' } }],
  );
  assert.deepEqual([[...set.globalRules.keys()], [...set.pluginMetadata]], [['a-limit'], [['a-limit', { header: 'X-Limit' }]]]);
  applied.length = 0;
  await change(
    { op: 'put', item: { ...metadata, value: { header: 'X-Other' } } },
    { op: 'delete', name: { kind: 'global_rule', parentId: '', id: 'a-limit' } },
  );
  assert.deepEqual(applied.flat().map(nameOf), ['put-plugin-metadata a-limit', 'delete-global-rule a-limit']);
  assert.deepEqual([set.globalRules.size, set.pluginMetadata.get('a-limit')], [0, { header: 'X-Other' }]);
  applied.length = 0;
  await change({ op: 'delete', name: { kind: 'plugin_metadata', parentId: '', id: 'a-limit' } });
  assert.deepEqual([applied.flat().map(nameOf), set.pluginMetadata.size], [['delete-plugin-metadata a-limit'], 0]);
});

test('of equal global rules and metadata in a snapshot workers hear nothing, and of those that are gone that they are', async () => {
  const { load, applied, set } = start();
  await load([...guideItems(80), rule, metadata]);
  applied.length = 0;
  await load([...guideItems(80), metadata, rule], 2);
  assert.deepEqual(applied, []);
  await load(guideItems(80), 3);
  assert.deepEqual(applied.flat().map(nameOf), ['delete-plugin-metadata a-limit', 'delete-global-rule a-limit']);
  assert.deepEqual([set.globalRules.size, set.pluginMetadata.size], [0, 0]);
});

test('metadata that this version cannot serve refuses the whole change; that of a plugin it does not have is passed over', async () => {
  const { load, change, applied, set, isKnown } = start();
  await load(guideItems(80));
  applied.length = 0;
  await change({ op: 'put', item: { ...metadata, id: 'from-the-future' } }, { op: 'put', item: { ...metadata, id: 'key-auth' } });
  assert.deepEqual(applied, []);
  const broken: SnapshotItem = { ...metadata, value: { header: 7 } };
  await assert.rejects(change({ op: 'put', item: newCredential }, { op: 'put', item: rule }, { op: 'put', item: broken }), {
    message: /^metadata of plugin a-limit: .*\/header/,
  });
  const shapeless: SnapshotItem = { ...rule, value: { plugins: [] } };
  await assert.rejects(change({ op: 'put', item: shapeless }), { message: /^global rule a-limit: / });
  assert.deepEqual([applied, set.globalRules.size, set.pluginMetadata.size, isKnown('new-key')], [[], 0, 0, false]);
});

test('a refused change leaves rules and metadata as they were', async () => {
  let refuse = false;
  const { load, change, set } = start(() => (refuse ? { kind: 'refused', message: 'why' } : { kind: 'committed' }));
  await load([...guideItems(80), rule, metadata]);
  refuse = true;
  await assert.rejects(
    change(
      { op: 'put', item: { ...metadata, value: { header: 'X-Other' } } },
      { op: 'delete', name: { kind: 'global_rule', parentId: '', id: 'a-limit' } },
    ),
    { message: 'why' },
  );
  assert.deepEqual([[...set.globalRules.keys()], set.pluginMetadata.get('a-limit')], [['a-limit'], { header: 'X-Limit' }]);
});

test('a worker that starts gets rules and metadata like everything else', async () => {
  const { load, set } = start();
  await load([...guideItems(80), rule, metadata]);
  assert.deepEqual([...set.parts()].flat().map(nameOf).sort(), [
    'put-global-rule a-limit',
    'put-plugin-metadata a-limit',
    'put-route route',
    'put-service service',
  ]);
});

test('names in the upstreams of plugins are resolved as long as anything uses them', async () => {
  const { load, change, names } = start();
  const withUpstream = (host: string) => ({ 'a-split': { upstream: { nodes: [{ host, port: 80, weight: 1 }] } } });
  const splitRule: SnapshotItem = { kind: 'global_rule', id: 'a-split', value: { plugins: withUpstream('rule.invalid') } };
  const routed = routeItem('split', { paths: ['/s'], plugins: withUpstream('route.invalid') });
  await load([serviceItem(80, { plugins: withUpstream('service.invalid') }), routed, splitRule]);
  const used = () => ['service.invalid', 'route.invalid', 'rule.invalid'].map((name) => names.isUsed(name));
  assert.deepEqual(used(), [true, true, true]);
  await change(
    { op: 'put', item: routeItem('split', { paths: ['/s'] }) },
    { op: 'delete', name: { kind: 'global_rule', parentId: '', id: 'a-split' } },
  );
  assert.deepEqual(used(), [true, false, false]);
  await load([], 9);
  assert.deepEqual(used(), [false, false, false]);
});

test('a consumer’s own plugins and labels come with it through the tables', async () => {
  const { load, change, reader, applied } = start();
  await load(guideItems(80));
  applied.length = 0;
  const value = { username: 'jack', labels: { team: 'a' }, plugins: { 'a-limit': { count: 2 } } };
  await change({ op: 'put', item: { kind: 'consumer', id: 'jack', value, keys: [] } });
  const found = reader.findByKey('key-auth', TEST_SALT, 'secret-api-key');
  assert.deepEqual([found?.labels, applied], [new Map([['team', 'a']]), []]);
  assert.deepEqual(JSON.parse(found?.pluginsText ?? '')[0][1].configuration, { count: 2, policy: 'local' });
});

test('what the plugins of consumers need is known to all workers before the consumer is', async () => {
  const consumerItem = (id: string, plugins: JsonObject): SnapshotItem => ({ kind: 'consumer', id, value: { plugins }, keys: [] });
  const splits = (host: string) => ({ 'a-split': { upstream: { nodes: [{ host, port: 80, weight: 1 }] } } });
  const seen: boolean[] = [];
  const started = start(() => {
    seen.push(started.reader.findByName('rose') !== undefined);
    return { kind: 'committed' };
  });
  const { load, change, names, applied, set } = started;
  const used = () => ['one.invalid', 'two.invalid'].map((name) => names.isUsed(name));
  await load([consumerItem('jack', splits('one.invalid')), consumerItem('lily', { 'a-limit': { count: 1 } })]);
  const jack = { op: 'put-consumer-needs', id: 'jack', needs: { nodeNames: ['one.invalid'], identityHeaders: [] } };
  assert.deepEqual([applied.flat(), used()], [[jack], [true, false]]);

  await change({ op: 'put', item: consumerItem('rose', { ...splits('two.invalid'), 'a-sign': { header: 'X-Signed' } }) });
  const rose = { op: 'put-consumer-needs', id: 'rose', needs: { nodeNames: ['two.invalid'], identityHeaders: ['X-Signed'] } };
  assert.deepEqual([applied.at(-1), used()], [[rose], [true, true]]);
  assert.deepEqual([seen.at(-1), started.reader.findByName('rose')?.username], [false, 'rose']);
  assert.deepEqual([...set.parts()].flat(), [jack, rose]);

  const rounds = applied.length;
  await change({ op: 'put', item: consumerItem('lily', { 'a-limit': { count: 2 } }) });
  assert.equal(applied.length, rounds, 'a consumer without needs costs the workers nothing');
  await change({ op: 'put', item: consumerItem('rose', { 'a-sign': { header: '*' } }) });
  assert.deepEqual([applied.at(-1), used()], [[{ op: 'delete-consumer-needs', id: 'rose' }], [true, false]]);
  await change({ op: 'delete', name: { kind: 'consumer', parentId: '', id: 'jack' } });
  assert.deepEqual([[...set.consumerNeeds], used()], [[], [false, false]]);
});

test('a snapshot without a consumer lets go of what that needed', async () => {
  const { load, names, applied, set, reader } = start();
  const plugins = { 'a-split': { upstream: { nodes: [{ host: 'one.invalid', port: 80, weight: 1 }] } } };
  const jack: SnapshotItem = { kind: 'consumer', id: 'jack', value: { plugins }, keys: [] };
  await load([jack]);
  await load([jack], 2);
  assert.equal(applied.length, 1);
  assert.equal(reader.findByName('jack')?.username, 'jack');
  await load([], 3);
  assert.deepEqual([[...set.consumerNeeds], names.isUsed('one.invalid'), reader.findByName('jack')], [[], false, undefined]);
});

test('upstreams of services come and go like what they belong to, and their names are resolved meanwhile', async () => {
  const { load, change, names, applied, set } = start();
  const upstream = (service: string, host: string): SnapshotItem => ({
    kind: 'upstream',
    id: 'canary',
    service,
    value: { nodes: [{ host, port: 80, weight: 1 }] },
  });
  await load([serviceItem(80), upstream('service', 'one.invalid'), upstream('elsewhere', 'two.invalid')]);
  assert.deepEqual([names.isUsed('one.invalid'), names.isUsed('two.invalid')], [true, true]);
  assert.deepEqual([...set.upstreams.keys()], ['service/canary', 'elsewhere/canary']);
  await change(
    { op: 'put', item: upstream('service', 'three.invalid') },
    { op: 'delete', name: { kind: 'upstream', parentId: 'elsewhere', id: 'canary' } },
  );
  assert.deepEqual([...set.parts()].flat().map(nameOf), ['put-upstream canary', 'put-service service']);
  assert.deepEqual(['one.invalid', 'two.invalid', 'three.invalid'].map((name) => names.isUsed(name)), [false, false, true]); // biome-ignore format: one line
  applied.length = 0;
  await load([serviceItem(80), upstream('service', 'three.invalid')], 5);
  assert.deepEqual(applied, []);
  await load([serviceItem(80)], 6);
  assert.deepEqual(applied.flat(), [{ op: 'delete-upstream', serviceId: 'service', id: 'canary' }]);
});
