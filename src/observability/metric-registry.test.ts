import assert from 'node:assert/strict';
import test from 'node:test';
import { parseExposition, sampleValue } from '../../test-support/parse-exposition.ts';
import { MetricRegistry } from './metric-registry.ts';

function textOf(registry: MetricRegistry): string {
  return [...registry.pieces()].join('');
}

test('counters add up by their labels, and one without labels is there from the start', () => {
  const registry = new MetricRegistry();
  const hits = registry.counter({ name: 'hits_total', help: 'Hits', labels: ['code'] });
  registry.counter({ name: 'misses_total', help: 'Misses' });
  hits(['200']);
  hits(['200'], 2);
  hits(['4"\n']);
  const text = textOf(registry);
  assert.equal(sampleValue(text, 'portcullis_hits_total', { code: '200' }), 3);
  assert.equal(sampleValue(text, 'portcullis_hits_total', { code: '4"\n' }), 1);
  assert.equal(sampleValue(text, 'portcullis_misses_total'), 0);
  assert.match(text, /^# TYPE portcullis_hits_total counter$/m);
});

test('a histogram sorts into the bucket whose bound is not exceeded', () => {
  const registry = new MetricRegistry();
  const waits = registry.histogram({ name: 'wait_seconds', help: 'Waits' }, [0.1, 1]);
  for (const value of [0.1, 0.5, 7]) waits([], value);
  const text = textOf(registry);
  const bucket = (le: string): number | undefined => sampleValue(text, 'portcullis_wait_seconds_bucket', { le });
  assert.deepEqual([bucket('0.1'), bucket('1'), bucket('+Inf')], [1, 2, 3]);
  assert.equal(sampleValue(text, 'portcullis_wait_seconds_sum'), 7.6);
});

test('series are bounded: what comes beyond is counted under empty labels, and nothing is lost', () => {
  const registry = new MetricRegistry();
  const hits = registry.counter({ name: 'hits_total', help: 'Hits', labels: ['who'] });
  for (let index = 0; index < 5_000; index++) hits([`client ${index}`]);
  hits(['client 1']);
  const samples = parseExposition(textOf(registry));
  assert.ok(samples.length <= 1_001, `${samples.length} series`);
  assert.equal(samples.find(({ labels }) => labels.who === 'client 1')?.value, 2);
  assert.equal(
    samples.reduce((sum, { value }) => sum + value, 0),
    5_001,
  );
});

test('a gauge that cannot be read has no line, and the others have theirs', () => {
  const registry = new MetricRegistry();
  registry.gauge({ name: 'broken', help: 'Broken' }, () => {
    throw new Error('broken');
  });
  registry.gauge({ name: 'size', help: 'Size', labels: ['of'] }, () => [{ labels: ['x'.repeat(10_000)], value: 3 }]);
  const samples = parseExposition(textOf(registry));
  assert.deepEqual(
    samples.map(({ name, labels, value }) => [name, labels.of?.length, value]),
    [['portcullis_size', 256, 3]],
  );
});
