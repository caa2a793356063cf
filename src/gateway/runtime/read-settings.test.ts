import assert from 'node:assert/strict';
import test from 'node:test';
import { Type } from '../../plugin-kit/index.ts';
import { readRouteSettings, readServiceSettings } from './read-settings.ts';

const guard = { name: 'guard', schema: Type.Object({ text: Type.Optional(Type.String({ default: 'stop' })) }) };
const ROUTE = { name: 'r', service_id: 's', paths: ['/r'] };
const META = { disabled: false, priority: undefined, errorResponse: undefined };

test('what cannot be served is refused by its name and its fault', () => {
  assert.throws(() => readServiceSettings('s', { name: 's', upstream: { nodes: 'x' } }, []), {
    name: 'CompileError',
    message: /^service s: .*\/upstream\/nodes/,
  });
  assert.throws(() => readRouteSettings('d', {}, []), { name: 'CompileError', message: /^route d: .*\/paths/ });
});

test('plugins come with their defaults in place and without what belongs to the gateway', () => {
  const { plugins } = readRouteSettings('r', { ...ROUTE, plugins: { guard: { _meta: { priority: 5 } } } }, [guard]);
  assert.deepEqual(
    [...plugins],
    [['guard', { kind: 'ready', meta: { ...META, filter: undefined, priority: 5 }, configuration: { text: 'stop' } }]],
  );
});

test('a plugin that cannot run is no fault before it has to, and its problem holds no value', () => {
  const { plugins } = readRouteSettings('r', { ...ROUTE, plugins: { guard: { text: ['secret-value'] }, unknown: {} } }, [guard]);
  assert.deepEqual(
    [...plugins.values()].map(({ kind }) => kind),
    ['invalid', 'invalid'],
  );
  assert.ok(!JSON.stringify([...plugins]).includes('secret-value'));
});

test('settings survive the way to another thread as they are', () => {
  const service = readServiceSettings('s', { name: 's', plugins: { guard: {} }, upstream: { nodes: [] } }, [guard]);
  const route = readRouteSettings('r', { ...ROUTE, plugins: { guard: { _meta: { disable: true } } } }, [guard]);
  assert.deepEqual(structuredClone([service, route]), [service, route]);
});
