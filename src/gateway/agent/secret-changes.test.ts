import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { Type } from '../../plugin-kit/index.ts';
import type { SnapshotChange, SnapshotItem } from '../../schema/index.ts';
import { NameResolver } from '../names/index.ts';
import { EnvironmentValues } from '../secrets/environment-values.ts';
import { resolvePluginSettings, SecretValues } from '../secrets/index.ts';
import { CredentialIndexReader, CredentialIndexWriter } from '../tables/index.ts';
import { guideItems, routeItem } from '../testing/guide-items.ts';
import { TEST_SALT } from '../testing/test-gateway.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { ConfigurationSet } from './configuration-set.ts';
import { GatewayConfiguration } from './gateway-configuration.ts';
import { NodeNames } from './node-names.ts';

const PLUGINS = [
  { name: 'key-auth', schema: Type.Object({}), consumerSchema: Type.Object({ key: Type.String() }) },
  {
    name: 'a-limit',
    schema: Type.Object({ password: Type.String({ maxLength: 4 }), policy: Type.Optional(Type.String({ default: 'redis' })) }),
    metadataSchema: Type.Object({ header: Type.String() }),
  },
];
const PASSWORD = '$secret://vault/1/redis/password';
const KEY = '$secret://vault/1/jack/key';

/** A configuration with workers that take everything, and a manager whose secrets are the test's. */
function start(environment: Record<string, string> = {}) {
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const secrets = new Map<string, Record<string, string>>();
  const asked: string[] = [];
  const values = new SecretValues({
    environment: new EnvironmentValues(environment, []),
    fetch: async (provider, configuration, name) => {
      asked.push(`${provider} ${configuration.uri} ${name}`);
      return new Map(Object.entries(secrets.get(name) ?? {}));
    },
    clock,
    random: systemRandom,
    log,
  });
  const tables = new CredentialIndexWriter({
    plugins: ['key-auth'],
    consumerPlugins: PLUGINS,
    resolvePlugins: (plugins) => resolvePluginSettings(plugins, values.valueOf),
    maxReaders: 1,
    random: systemRandom,
    log,
  });
  const reader = new CredentialIndexReader(tables.handles, tables.registerReader());
  const applied: (readonly RuntimeChange[])[] = [];
  const revisions: number[] = [];
  let refusal: string | undefined;
  const configuration = new GatewayConfiguration({
    plugins: PLUGINS,
    set: new ConfigurationSet(),
    names: new NodeNames(new NameResolver({ clock: new FakeClock(), random: systemRandom, log })),
    tables,
    fleet: {
      broadcast: () => {},
      apply: async (changes, onPrepared) => {
        if (refusal !== undefined) return { kind: 'refused', message: refusal };
        applied.push(changes);
        onPrepared();
        return { kind: 'committed' };
      },
    },
    secrets: { values, log },
    yieldTurn: () => Promise.resolve(),
    monotonicMs: () => 0,
    onApplied: (revision) => revisions.push(revision),
  });
  return {
    log,
    values,
    asked,
    applied,
    revisions,
    load: (items: readonly SnapshotItem[]) => configuration.loadSnapshot(inOne(items), { revision: 1, keySalt: TEST_SALT }),
    change: (...changes: readonly SnapshotChange[]) => configuration.applyDelta({ fromRevision: 1, toRevision: 2, changes }),
    refuse: (message: string | undefined) => {
      refusal = message;
    },
    knows: (key: string): boolean => reader.findByKey('key-auth', TEST_SALT, key) !== undefined,
    consumerPlugins: () => JSON.parse(reader.findByName('jack')?.pluginsText ?? '[]'),
    keep: (name: string, fields: Record<string, string>) => secrets.set(name, fields),
    /** Lets everything be read anew. */
    async passFiveMinutes(): Promise<void> {
      clock.advance(300_000);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function* inOne(items: readonly SnapshotItem[]): AsyncGenerator<readonly SnapshotItem[], void> {
  yield items;
}

/** The password of a-limit in the settings that workers were last told of. */
function passwordsOf(changes: readonly RuntimeChange[] = []): readonly unknown[] {
  return changes.flatMap((change) => {
    if (!('settings' in change) || change.op === 'put-upstream' || change.op === 'put-tls-item') return [];
    const plugins = change.op === 'put-global-rule' ? change.settings : change.settings.plugins;
    const read = plugins.get('a-limit');
    return read?.kind === 'ready' ? [read.configuration.password] : [];
  });
}

const provider: SnapshotItem = { kind: 'secret_provider', id: 'vault/1', value: { uri: 'https://vault.example' } };
const limited = (password: string): SnapshotItem => routeItem('limited', { paths: ['/l'], plugins: { 'a-limit': { password } } });
const credential = (reference: string): SnapshotItem => ({
  kind: 'credential',
  id: 'c',
  consumer: 'jack',
  value: {},
  keys: [],
  references: [{ plugin: 'key-auth', unique: { reference } }],
});
const put = (item: SnapshotItem): SnapshotChange => ({ op: 'put', item });
const remove = (item: SnapshotItem): SnapshotChange => ({
  op: 'delete',
  name: { kind: item.kind, parentId: item.kind === 'credential' ? item.consumer : '', id: item.id },
});

test('workers get what references stand for, whatever the schema says of its length, and nothing of references', async () => {
  const { load, applied, keep } = start({ HEADER: 'X-Limit' });
  keep('redis', { password: 'long password' });
  const metadata: SnapshotItem = { kind: 'plugin_metadata', id: 'a-limit', value: { header: '$env://HEADER' } };
  const rule: SnapshotItem = { kind: 'global_rule', id: 'a-limit', value: { plugins: { 'a-limit': { password: PASSWORD } } } };
  await load([limited(PASSWORD), rule, metadata, provider, ...guideItems(80)]);
  assert.deepEqual(passwordsOf(applied[0]), ['long password', 'long password']);
  assert.ok(applied[0]?.some((change) => change.op === 'put-plugin-metadata' && change.value.header === 'X-Limit'));
  assert.ok(!JSON.stringify(applied).includes('$secret://'));
});

test('a reference that does not resolve stays as it was written in a plugin, and lets nobody in as a key', async () => {
  const { load, applied, knows, log } = start();
  await load([limited('$env://MISSING'), credential(KEY), ...guideItems(80)]);
  assert.deepEqual(passwordsOf(applied[0]), ['$env://MISSING']);
  assert.deepEqual([knows(KEY), knows('secret-api-key')], [false, true]);
  const told = log.lines
    .filter(({ message }) => message === 'a secret reference does not resolve')
    .map(({ level, fields }) => [level, fields]);
  assert.deepEqual(told, [
    ['error', { kind: 'credential', consumer: 'jack', id: 'c', reference: KEY }],
    ['error', { kind: 'route', consumer: '', id: 'limited', reference: '$env://MISSING' }],
  ]);
});

test('a key that is kept elsewhere lets its consumer in, until it is another or the credential is gone', async () => {
  const { load, change, knows, keep, passFiveMinutes, applied } = start({ KEY: 'from-the-environment' });
  keep('jack', { key: 'first-key' });
  await load([credential(KEY), provider, ...guideItems(80)]);
  assert.deepEqual([knows('first-key'), knows(KEY)], [true, false]);
  keep('jack', { key: 'second-key' });
  applied.length = 0;
  await passFiveMinutes();
  assert.deepEqual([knows('first-key'), knows('second-key')], [false, true]);
  assert.deepEqual(applied, []);
  await change(put(credential('$env://KEY')));
  assert.deepEqual([knows('second-key'), knows('from-the-environment')], [false, true]);
  await change(remove(credential('$env://KEY')));
  assert.equal(knows('from-the-environment'), false);
});

test('a changed secret puts what uses it in force again, without a revision, and nothing else', async () => {
  const { load, applied, revisions, keep, passFiveMinutes, consumerPlugins } = start();
  keep('redis', { password: 'one' });
  const jack: SnapshotItem = {
    kind: 'consumer',
    id: 'jack',
    value: { username: 'jack', plugins: { 'a-limit': { password: PASSWORD } } },
    keys: [],
  };
  await load([provider, limited(PASSWORD), ...guideItems(80), jack]);
  const before = applied.length;
  await passFiveMinutes();
  assert.equal(applied.length, before);
  keep('redis', { password: 'two' });
  await passFiveMinutes();
  const after = applied.slice(before);
  assert.deepEqual(after.map(passwordsOf), [['two']]);
  assert.deepEqual(
    after[0]?.map(({ op }) => op),
    ['put-route'],
  );
  assert.equal(consumerPlugins()[0][1].configuration.password, 'two');
  assert.deepEqual(revisions, [1]);
});

test('a changed secret that workers refuse leaves in force what was before, and the log tells', async () => {
  const { load, keep, refuse, passFiveMinutes, log, applied } = start();
  keep('redis', { password: 'one' });
  await load([provider, limited(PASSWORD), ...guideItems(80)]);
  refuse('plugin a-limit does not take it');
  keep('redis', { password: 'two' });
  await passFiveMinutes();
  assert.equal(log.lines.at(-1)?.message, 'a secret that has changed cannot be put in force; what was before stays');
  refuse(undefined);
  keep('redis', { password: 'three' });
  await passFiveMinutes();
  assert.deepEqual(passwordsOf(applied.at(-1)), ['three']);
});

test('a provider that comes or changes with a revision holds for it, and not where the revision is refused', async () => {
  const { load, change, keep, refuse, asked, applied, values } = start();
  keep('redis', { password: 'one' });
  await load(guideItems(80));
  await change(put(limited(PASSWORD)), put(provider));
  assert.deepEqual(passwordsOf(applied.at(-1)), ['one']);
  refuse('why');
  const other: SnapshotItem = { kind: 'secret_provider', id: 'vault/1', value: { uri: 'https://other.example' } };
  await assert.rejects(change(put(other), put(routeItem('r', { paths: ['/r'] }))), { message: 'why' });
  assert.deepEqual(values.providers.get('vault/1'), provider.value);
  refuse(undefined);
  await change(remove(provider));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(passwordsOf(applied.at(-1)), [PASSWORD]);
  assert.deepEqual(asked.slice(0, 2), ['vault/1 https://vault.example redis', 'vault/1 https://other.example redis']);
});

test('what nothing in force refers to any more is not read again', async () => {
  const { load, change, keep, asked, passFiveMinutes, refuse } = start();
  keep('redis', { password: 'one' });
  keep('jack', { key: 'k' });
  await load([provider, limited(PASSWORD), credential(KEY), ...guideItems(80)]);
  await change(put(limited('text')), remove(credential(KEY)));
  refuse('why');
  await assert.rejects(change(put(limited('$secret://vault/1/never/password'))), { message: 'why' });
  asked.length = 0;
  await passFiveMinutes();
  assert.deepEqual(asked, []);
  refuse(undefined);
  await load([provider, limited(PASSWORD), ...guideItems(80)]);
  await load([provider, ...guideItems(80)]);
  asked.length = 0;
  await passFiveMinutes();
  assert.deepEqual(asked, []);
});
