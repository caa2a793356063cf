import assert from 'node:assert/strict';
import test from 'node:test';
import { PortcullisError } from '../errors/index.ts';
import type { JsonValue } from '../lib/json.ts';
import { Type } from '../schema/index.ts';
import {
  type AnyPlugin,
  definePlugin,
  instantiatePlugin,
  type PluginInstance,
  type RequestView,
  readPlugin,
  readPluginConfiguration,
  readPluginMeta,
  refuse,
  respond,
} from './index.ts';

const REQUEST = {} as RequestView;

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

/** Reads and instantiates as a gateway does: what was read goes from one thread to another. */
function instantiate(plugin: AnyPlugin, configuration: JsonValue): PluginInstance {
  return instantiatePlugin(plugin, structuredClone(readPlugin(plugin, configuration)));
}

test('a plugin gets its configuration with defaults and without _meta, once', async () => {
  created.length = 0;
  const instance = instantiate(guard, { _meta: { priority: 99 } });
  assert.deepEqual(created, [{ text: 'stop' }]);
  assert.deepEqual([instance.priority, instance.disabled, instance.plugin], [99, false, guard]);
  assert.deepEqual(instance.rewrite?.(REQUEST), refuse('key_invalid', { message: 'stop' }));
  assert.deepEqual(await instance.access?.(REQUEST), respond(200, 'stop'));
  instance.dispose();
  assert.deepEqual(disposed, [{ text: 'stop' }]);
});

test('the plugin’s own priority holds where _meta names none', () => {
  assert.equal(instantiate(guard, {}).priority, 7);
});

test('a switched-off plugin is never created, even if it is invalid', () => {
  created.length = 0;
  const instance = instantiate(guard, { text: 1, _meta: { disable: true } });
  assert.deepEqual([instance.disabled, instance.rewrite, instance.access, created], [true, undefined, undefined, []]);
  instance.dispose();
});

test('an invalid configuration is never run, and its error holds no value of it', () => {
  for (const configuration of [{ text: ['secret-value'] }, null, 'secret-value']) {
    assert.throws(
      () => instantiate(guard, configuration),
      (error) => error instanceof PortcullisError && error.reason === 'internal' && !error.message.includes('secret-value'),
    );
  }
});

test('error_response replaces the body of errors, nothing else of them, and no other answer', async () => {
  const instance = instantiate(guard, { _meta: { error_response: { code: 7 } } });
  assert.deepEqual(instance.rewrite?.(REQUEST), { ...refuse('key_invalid'), body: '{"code":7}\n' });
  assert.deepEqual(await instance.access?.(REQUEST), respond(200, 'stop'));
  const text = instantiate(guard, { _meta: { error_response: 'no entry' } });
  assert.deepEqual(text.rewrite?.(REQUEST), { ...refuse('key_invalid'), body: 'no entry' });
  const passing = instantiate(guard, { text: 'go', _meta: { error_response: 'no entry' } });
  assert.equal(passing.rewrite?.(REQUEST), undefined);
});

test('reading a configuration changes nothing in it', () => {
  const configuration = { _meta: { disable: false } };
  assert.deepEqual(readPluginConfiguration(guard.schema, configuration), { text: 'stop' });
  assert.deepEqual(configuration, { _meta: { disable: false } });
});

test('a _meta that is not well formed switches nothing off', () => {
  const nothing = { disabled: false, priority: undefined, errorBody: undefined };
  for (const configuration of [null, 'x', {}, { _meta: null }, { _meta: { disable: 'true', priority: '1', error_response: 1 } }]) {
    assert.deepEqual(readPluginMeta(configuration), nothing);
  }
});
