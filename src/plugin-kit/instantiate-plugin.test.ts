import assert from 'node:assert/strict';
import test from 'node:test';
import { PortcullisError } from '../errors/index.ts';
import { Type } from '../schema/index.ts';
import {
  definePlugin,
  type PluginInstance,
  type PluginSchema,
  type PluginSetup,
  readPluginConfiguration,
  readPluginMeta,
  refuse,
  respond,
} from './index.ts';
import { createPlugin, runHeaderFilter, runLog, runPhase, TestRequest, TestResponse, testSetup } from './testing/index.ts';

const REQUEST = new TestRequest();

const created: unknown[] = [];
const disposed: unknown[] = [];
const guard = definePlugin<{ readonly text: string }, { readonly text: string }>({
  name: 'guard',
  version: '1',
  priority: 7,
  type: 'other',
  schema: Type.Object({ text: Type.Optional(Type.String({ default: 'stop' })) }),
  secretFields: [],
  identityHeaders: [],
  create: (configuration) => {
    created.push(configuration);
    return configuration;
  },
  dispose: (state) => disposed.push(state),
  phases: {
    rewrite: (_request, state) => (state.text === 'go' ? undefined : refuse('key_invalid', { message: state.text })),
    access: async (_request, state) => respond(200, state.text),
  },
});

test('a plugin gets its configuration with defaults and without _meta, once', async () => {
  created.length = 0;
  const instance = createPlugin(guard, { _meta: { priority: 99 } });
  assert.deepEqual(created, [{ text: 'stop' }]);
  assert.deepEqual([instance.priority, instance.disabled, instance.plugin], [99, false, guard]);
  assert.deepEqual(instance.rewrite?.(REQUEST), refuse('key_invalid', { message: 'stop' }));
  assert.deepEqual(await instance.access?.(REQUEST), respond(200, 'stop'));
  instance.dispose();
  assert.deepEqual(disposed, [{ text: 'stop' }]);
});

test('the plugin’s own priority holds where _meta names none', () => {
  assert.equal(createPlugin(guard, {}).priority, 7);
});

test('a switched-off plugin is never created, even if it is invalid', () => {
  created.length = 0;
  const instance = createPlugin(guard, { text: 1, _meta: { disable: true } });
  assert.deepEqual([instance.disabled, instance.rewrite, instance.access, created], [true, undefined, undefined, []]);
  instance.dispose();
});

test('an invalid configuration is never run, and its error holds no value of it', () => {
  for (const configuration of [{ text: ['secret-value'] }, null, 'secret-value']) {
    assert.throws(
      () => createPlugin(guard, configuration),
      (error) => error instanceof PortcullisError && error.reason === 'internal' && !error.message.includes('secret-value'),
    );
  }
});

test('error_response replaces the body of errors, nothing else of them, and no other answer', async () => {
  const instance = createPlugin(guard, { _meta: { error_response: { code: 7 } } });
  assert.deepEqual(instance.rewrite?.(REQUEST), { ...refuse('key_invalid'), body: '{"code":7}\n' });
  assert.deepEqual(await instance.access?.(REQUEST), respond(200, 'stop'));
  const text = createPlugin(guard, { _meta: { error_response: 'no entry' } });
  assert.deepEqual(text.rewrite?.(REQUEST), { ...refuse('key_invalid'), body: 'no entry' });
  const passing = createPlugin(guard, { text: 'go', _meta: { error_response: 'no entry' } });
  assert.equal(passing.rewrite?.(REQUEST), undefined);
});

test('reading a configuration changes nothing in it', () => {
  const configuration = { _meta: { disable: false } };
  assert.deepEqual(readPluginConfiguration(guard.schema, configuration), { text: 'stop' });
  assert.deepEqual(configuration, { _meta: { disable: false } });
});

test('a _meta that is not well formed switches nothing off', () => {
  const nothing = { disabled: false, priority: undefined, filter: undefined, errorResponse: undefined };
  for (const configuration of [
    null,
    'x',
    {},
    { _meta: null },
    { _meta: { disable: 'true', priority: '1', filter: {}, error_response: 1 } },
  ]) {
    assert.deepEqual(readPluginMeta(configuration), nothing);
  }
});

const seen: string[] = [];
const watcherSchema: PluginSchema = {
  name: 'watcher',
  version: '1',
  priority: 1,
  type: 'other',
  schema: Type.Object({}),
  secretFields: [],
  identityHeaders: [],
};
const watcher = definePlugin<object, string>({
  ...watcherSchema,
  create: (_configuration, setup) => setup.owner.id,
  phases: {
    beforeProxy: (_request, state) => void seen.push(`beforeProxy ${state}`),
    headerFilter: (_request, response, state) => void seen.push(`headerFilter ${response.status} ${state}`),
    bodyFilter: (_request, response, state) => ({ write: () => {}, end: (push) => push(Buffer.from(`${response.status} ${state}`)) }),
    log: (request, state) => void seen.push(`log ${request.status} ${state}`),
  },
});

test('every phase gets the request, the answer where there is one, and the state', async () => {
  seen.length = 0;
  const instance = createPlugin(watcher, {});
  const request = new TestRequest();
  assert.deepEqual([instance.rewrite, instance.access, instance.filter], [undefined, undefined, undefined]);
  await runPhase(instance, 'beforeProxy', request);
  const response = runHeaderFilter(instance, request, new TestResponse({ status: 404 }));
  instance.bodyFilter?.(request, response)?.end((bytes) => seen.push(`body ${bytes}`));
  runLog(instance, request);
  assert.deepEqual(seen, ['beforeProxy route-1', 'headerFilter 404 route-1', 'body 404 route-1', 'log 404 route-1']);
});

test('where a configuration leaves bodies alone there is no body filter', () => {
  const headersOnly = definePlugin<object, string>({ ...watcher, changesBodies: (state) => state !== 'route-1' });
  assert.equal(createPlugin(headersOnly, {}).bodyFilter, undefined);
  assert.notEqual(createPlugin(headersOnly, {}, testSetup({ owner: { kind: 'route', id: 'other' } })).bodyFilter, undefined);
});

test('create gets what it may use of the gateway', () => {
  const setups: PluginSetup[] = [];
  const plugin = definePlugin<object, void>({ ...watcherSchema, create: (_configuration, setup) => void setups.push(setup), phases: {} });
  const setup = testSetup({ owner: { kind: 'service', id: 's' } });
  createPlugin(plugin, {}, setup);
  assert.equal(setups[0]?.clock, setup.clock);
  assert.deepEqual(setups[0]?.owner, { kind: 'service', id: 's' });
});

test('_meta.filter says for which requests the phases run', () => {
  const { filter } = createPlugin(guard, { _meta: { filter: [['arg_a', '==', '1']] } });
  assert.equal(filter?.(new TestRequest({ target: '/?a=1' })), true);
  assert.equal(filter?.(new TestRequest({ target: '/?a=2' })), false);
  assert.equal(createPlugin(guard, { _meta: { filter: [] } }).filter, undefined);
});

test('a filter that cannot be read or fails counts as true', () => {
  assert.equal(createPlugin(guard, { _meta: { filter: ['nonsense'] } }).filter?.(new TestRequest()), true);
  const failing = new TestRequest();
  failing.variable = () => {
    throw new Error('no variables');
  };
  assert.equal(createPlugin(guard, { _meta: { filter: [['arg_a', '==', '1']] } }).filter?.(failing), true);
});

test('what a plugin’s own check refuses is never run', () => {
  const plugin = definePlugin({ ...guard, check: () => [{ pointer: '/text', message: 'not this' }] });
  assert.throws(() => createPlugin(plugin, {}), PortcullisError);
});

test('plugins inside a configuration are read with their own schemas, and created before the one that holds them', () => {
  const outer = definePlugin<object, readonly PluginInstance[]>({
    ...watcherSchema,
    name: 'outer',
    schema: Type.Object({ inner: Type.Unsafe({ type: 'object' }) }),
    nestedPlugins: (configuration) => [{ name: 'guard', configuration: Object(configuration.inner) }],
    create: (_configuration, setup) => setup.nested,
    phases: { rewrite: (request, nested) => nested[0]?.rewrite?.(request) },
  });
  const setup = testSetup({ plugins: [guard] });
  assert.deepEqual(createPlugin(outer, { inner: {} }, setup).rewrite?.(REQUEST), refuse('key_invalid', { message: 'stop' }));
  assert.throws(() => createPlugin(outer, { inner: { text: 1 } }, setup), PortcullisError);
});
