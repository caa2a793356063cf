import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../plugin-kit/testing/index.ts';
import { createSampler } from './samplers.ts';
import type { RootSamplerConfiguration, SamplerName } from './schema.ts';

const OFF: RootSamplerConfiguration = { name: 'always_off', options: { fraction: 0 } };
const PARENT = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceState: '' };

function sampler(name: SamplerName, fraction = 0, root = OFF) {
  return createSampler({ name, options: { fraction, root } });
}

test('always_on takes all, always_off none, whatever the parent says', () => {
  for (const parent of [undefined, { ...PARENT, sampled: true }, { ...PARENT, sampled: false }]) {
    assert.equal(sampler('always_on')('a'.repeat(32), parent), true);
    assert.equal(sampler('always_off')('a'.repeat(32), parent), false);
  }
});

test('trace_id_ratio takes its share, and decides by the id alone', () => {
  const random = seededRandom();
  const ids = Array.from({ length: 20_000 }, () => random.bytes(16).toString('hex'));
  for (const [fraction, least, most] of [
    [0, 0, 0],
    [-1, 0, 0],
    [0.1, 1700, 2300],
    [0.5, 9600, 10_400],
    [1, 20_000, 20_000],
    [7, 20_000, 20_000],
  ] as const) {
    const taken = ids.filter((id) => sampler('trace_id_ratio', fraction)(id, undefined));
    assert.ok(taken.length >= least && taken.length <= most, `${fraction}: ${taken.length}`);
    const again = ids.filter((id) => sampler('trace_id_ratio', fraction)(id, { ...PARENT, sampled: false }));
    assert.deepEqual(again, taken);
  }
});

test('a larger share takes all that a smaller one takes', () => {
  const random = seededRandom();
  const [small, large] = [sampler('trace_id_ratio', 0.2), sampler('trace_id_ratio', 0.3)];
  for (let count = 0; count < 5000; count++) {
    const id = random.bytes(16).toString('hex');
    if (small(id, undefined)) assert.equal(large(id, undefined), true);
  }
});

test('parent_base follows the parent, and asks its root sampler without one', () => {
  const withRoot = (root: RootSamplerConfiguration) => sampler('parent_base', 1, root);
  const on = withRoot({ name: 'always_on', options: { fraction: 0 } });
  assert.equal(on('a'.repeat(32), undefined), true);
  assert.equal(on('a'.repeat(32), { ...PARENT, sampled: false }), false);
  assert.equal(withRoot(OFF)('a'.repeat(32), undefined), false);
  assert.equal(withRoot(OFF)('a'.repeat(32), { ...PARENT, sampled: true }), true);
  assert.equal(withRoot({ name: 'trace_id_ratio', options: { fraction: 1 } })('a'.repeat(32), undefined), true);
});
