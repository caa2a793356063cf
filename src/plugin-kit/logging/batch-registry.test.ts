import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSetup } from '../testing/index.ts';
import { BatchRegistry, type BatchTarget } from './batch-registry.ts';

function targetOf(sent: (readonly string[])[], fail?: Error, maxEntries = 10): () => BatchTarget<string> {
  return () => ({
    name: 'test logger',
    settings: { maxEntries, inactiveTimeoutMs: 5000, bufferDurationMs: 60_000, maxRetries: 0, retryDelayMs: 1000 },
    send: async (entries) => {
      sent.push(entries);
      if (fail !== undefined) throw fail;
    },
  });
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('configurations with the same key fill the same batches, and the last to leave has them sent', async () => {
  const registry = new BatchRegistry<string>('test');
  const setup = testSetup();
  const sent: (readonly string[])[] = [];
  const [first, second] = [registry.hold(setup, 'k', targetOf(sent)), registry.hold(setup, 'k', targetOf(sent))];
  first.add('a', 1, 100);
  second.add('b', 1, 100);
  first.release();
  first.release();
  assert.deepEqual(sent, []);
  second.add('c', 1, 100);
  second.release();
  assert.deepEqual(sent, [['a', 'b', 'c']]);
  await settle();
  assert.equal(setup.clock.pendingTasks, 0);
});

test('other keys and other workers have processors of their own; the keys of a worker share the bound', () => {
  const registry = new BatchRegistry<string>('test');
  const [here, elsewhere] = [testSetup(), testSetup()];
  const sent: (readonly string[])[] = [];
  const [one, two] = [registry.hold(here, 'one', targetOf(sent)), registry.hold(here, 'two', targetOf(sent))];
  const other = registry.hold(elsewhere, 'one', targetOf(sent));
  for (let entry = 0; entry < 3; entry++) one.add(`one ${entry}`, 1, 4);
  two.add('two 0', 1, 4);
  two.add('two 1', 1, 4);
  other.add('other', 1, 4);
  for (const held of [one, two, other]) held.release();
  assert.deepEqual(sent, [['one 0', 'one 1', 'one 2'], ['two 0'], ['other']]);
  assert.equal(here.metrics.value('plugin_entries_dropped_total', ['test']), 1);
  assert.deepEqual(here.log.lines[0]?.fields, { entries: 1, why: 'too many wait' });
});

test('losses are counted each and told at most once a second', async () => {
  const registry = new BatchRegistry<string>('test');
  const setup = testSetup();
  const held = registry.hold(setup, 'k', targetOf([], new Error('calling http://logs.test failed: ECONNREFUSED'), 1));
  for (let entry = 0; entry < 5; entry++) {
    held.add('x', 1, 100);
    await settle();
  }
  assert.deepEqual(
    setup.log.lines.map(({ level, fields }) => [level, fields]),
    [['warn', { entries: 1, why: 'calling http://logs.test failed: ECONNREFUSED' }]],
  );
  setup.clock.advance(1000);
  assert.deepEqual(setup.log.lines[1]?.fields, { entries: 4, why: 'calling http://logs.test failed: ECONNREFUSED' });
  setup.clock.advance(60_000);
  assert.equal(setup.log.lines.length, 2);
  assert.equal(setup.metrics.value('plugin_entries_dropped_total', ['test']), 5);
});

test('what is pending is a metric under the name of the configuration and its first route', async () => {
  const registry = new BatchRegistry<string>('test');
  const setup = testSetup({ owner: { kind: 'route', id: 'r9' } });
  const held = registry.hold(setup, 'k', targetOf([]));
  for (let entry = 0; entry < 12; entry++) held.add('x', 1, 100);
  assert.equal(setup.metrics.value('apisix_batch_process_entries', ['test logger', 'r9', '']), 10);
  await settle();
  assert.equal(setup.metrics.value('apisix_batch_process_entries', ['test logger', 'r9', '']), 2);
});

test('the oldest that waits can make room for the newest', () => {
  const registry = new BatchRegistry<string>('test');
  const setup = testSetup();
  const sent: (readonly string[])[] = [];
  const hanging = (): BatchTarget<string> => ({
    ...targetOf(sent, undefined, 1)(),
    send: (entries) => {
      sent.push(entries);
      return new Promise(() => {});
    },
  });
  const held = registry.hold(setup, 'k', hanging);
  for (let entry = 0; entry < 20; entry++) held.addOverOldest(`${entry}`, 1, 18);
  assert.equal(sent.length, 16);
  assert.equal(setup.metrics.value('plugin_entries_dropped_total', ['test']), 2);
});
