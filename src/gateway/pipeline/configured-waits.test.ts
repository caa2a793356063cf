import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { waitFor } from '../../plugin-kit/index.ts';
import { startPipeline } from '../testing/test-pipeline.ts';
import { routeChange, serviceChange, testPlugin } from '../testing/test-runtime.ts';

test('a wait that a configuration asks for counts against no deadline, and what the plugin does besides still does', async () => {
  const clock = new FakeClock();
  const waits = testPlugin('waits', 1, {
    rewrite: async (request) => {
      await waitFor(request, clock, 25_000);
      await waitFor(request, clock, 12_000);
      return request.header('x-hang') === undefined ? undefined : new Promise<undefined>(() => {});
    },
  });
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins: { waits: {} } })], [waits], [], clock);
  const [passing, hanging] = [ask('GET /a'), ask('GET /a', ['X-Hang: 1'])];
  const pass = async (durationMs: number): Promise<void> => {
    clock.advance(durationMs);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await pass(25_000);
  assert.deepEqual([passing.plan, hanging.answer], [undefined, undefined]);
  await pass(12_000);
  assert.equal(passing.plan !== undefined, true);
  assert.equal(passing.grantedMs, 37_000);
  await pass(9_999);
  assert.equal(hanging.answer === undefined, true);
  await pass(1);
  assert.equal(hanging.answer?.reason, 'plugin_failed');
});

test('what one plugin waited is not given to the next', async () => {
  const clock = new FakeClock();
  const waits = testPlugin('waits', 2, { rewrite: (request) => waitFor(request, clock, 30_000) });
  const hangs = testPlugin('hangs', 1, { rewrite: () => new Promise<undefined>(() => {}) });
  const plugins = { waits: {}, hangs: {} };
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins })], [waits, hangs], [], clock);
  const exchange = ask('GET /a');
  clock.advance(30_000);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(exchange.answer?.reason, 'plugin_failed');
});

test('a wait ends with the request of a client that goes, and no other plugin is asked', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const waits = testPlugin('waits', 2, { rewrite: (request) => waitFor(request, clock, 30_000) });
  const next = testPlugin('next', 1, {
    rewrite: () => {
      asked++;
      return undefined;
    },
  });
  const plugins = { waits: {}, next: {} };
  const { ask, finish } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins })], [waits, next], [], clock);
  finish(ask('GET /a'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.pendingTasks, 0);
  assert.equal(asked, 0);
});
