import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { parseExposition, sampleValue } from '../../../test-support/parse-exposition.ts';
import { InstanceMetrics } from './instance-metrics.ts';
import { METRICS_LIMITS } from './metrics-handles.ts';
import { WorkerMetrics } from './worker-metrics.ts';

const HITS = { name: 'hits', help: 'Hits', labels: ['code', 'route'] };
const WAITS = { name: 'apisix_waits', help: 'Waits', labels: ['route'] };
const LIMITS = { series: 10, metrics: 4, cells: 200, textBytes: 4096 };

function textOf(instance: InstanceMetrics): string {
  return [...instance.pieces()].join('');
}

test('a scrape sums what all workers have counted, from numbers that it finds by itself', () => {
  const instance = new InstanceMetrics(3);
  const [one, two] = [new WorkerMetrics(instance.handles, 0), new WorkerMetrics(instance.handles, 2)];
  one.counter(HITS).add(['200', 'a']);
  two.counter(HITS).add(['200', 'a'], 41);
  two.counter(HITS).add(['404', 'a'], 0.5);
  one.gauge({ name: 'open', help: 'Open', labels: [] }).set([], 2);
  two.gauge({ name: 'open', help: 'Open', labels: [] }).set([], 3);
  const text = textOf(instance);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '200', route: 'a' }), 42);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '404', route: 'a' }), 0.5);
  assert.equal(sampleValue(text, 'portcullis_open'), 5);
  assert.match(text, /^# HELP portcullis_hits Hits\n# TYPE portcullis_hits counter\nportcullis_hits\{/m);
  two.counter(HITS).add(['200', 'a']);
  assert.equal(sampleValue(textOf(instance), 'portcullis_hits', { code: '200', route: 'a' }), 43);
});

test('a histogram sorts into the bucket whose bound is not exceeded, over all workers', () => {
  const instance = new InstanceMetrics(2);
  for (const row of [0, 1]) {
    const waits = new WorkerMetrics(instance.handles, row).histogram(WAITS, [1, 10]);
    for (const value of [0, 1, 1.5, 10, 11]) waits.observe(['a'], value);
    waits.series(['a']).observe(-1);
  }
  const text = textOf(instance);
  const buckets = ['1', '10', '+Inf'].map((le) => sampleValue(text, 'apisix_waits_bucket', { route: 'a', le }));
  assert.deepEqual(buckets, [6, 10, 12]);
  assert.equal(sampleValue(text, 'apisix_waits_count', { route: 'a' }), 12);
  assert.equal(sampleValue(text, 'apisix_waits_sum', { route: 'a' }), 45);
});

test('what is no number, and a step back of a counter, change nothing', () => {
  const instance = new InstanceMetrics(1);
  const metrics = new WorkerMetrics(instance.handles, 0);
  const hits = metrics.counter(HITS).series(['200', 'a']);
  const waits = metrics.histogram(WAITS, [1]).series(['a']);
  const open = metrics.gauge({ name: 'open', help: 'Open', labels: [] });
  hits.add();
  open.set([], 4);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    hits.add(value);
    waits.observe(value);
    open.set([], value);
  }
  hits.add(-1);
  const text = textOf(instance);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '200', route: 'a' }), 1);
  assert.equal(sampleValue(text, 'apisix_waits_count', { route: 'a' }), 0);
  assert.equal(sampleValue(text, 'portcullis_open'), 4);
});

test('a worker that dies takes its gauges along and leaves what it counted, and the next in its row goes on from there', () => {
  const instance = new InstanceMetrics(2);
  const open = { name: 'open', help: 'Open', labels: ['kind'] };
  for (const row of [0, 1]) {
    const metrics = new WorkerMetrics(instance.handles, row);
    metrics.counter(HITS).add(['200', 'a']);
    metrics.histogram(WAITS, [1]).observe(['a'], 5);
    metrics.gauge(open).set(['x'], 7);
    metrics.gauge(open).set([''], 7);
    metrics.loopLag(100).beat(0);
  }
  instance.clearRow(0);
  assert.equal(sampleValue(textOf(instance), 'portcullis_open', { kind: 'x' }), 7);
  assert.equal(sampleValue(textOf(instance), 'portcullis_open', { kind: '' }), 7);
  const next = new WorkerMetrics(instance.handles, 0);
  next.counter(HITS).add(['200', 'a']);
  next.histogram(WAITS, [1]).observe(['a'], 5);
  const text = textOf(instance);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '200', route: 'a' }), 3);
  assert.equal(sampleValue(text, 'apisix_waits_sum', { route: 'a' }), 15);
});

test('label sets beyond the limit go to one of empty labels, nothing is lost, and that they did is a metric', () => {
  const instance = new InstanceMetrics(2, LIMITS);
  const [one, two] = [new WorkerMetrics(instance.handles, 0), new WorkerMetrics(instance.handles, 1)];
  for (let route = 0; route < 30; route++) {
    one.counter(HITS).add(['200', `${route}`]);
    two
      .counter(HITS)
      .series(['200', `${route}`])
      .add();
  }
  const text = textOf(instance);
  const samples = parseExposition(text).filter(({ name }) => name === 'portcullis_hits');
  assert.equal(samples.length, LIMITS.series + 1);
  assert.equal(samples.reduce((sum, { value }) => sum + value, 0), 60); // biome-ignore format: one thought
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '', route: '' }), 40);
  assert.equal(sampleValue(text, 'portcullis_metric_updates_beyond_limit_total', { metric: 'portcullis_hits' }), 40);
  assert.equal(sampleValue(text, 'portcullis_metric_series'), LIMITS.series);
  assert.equal(sampleValue(text, 'portcullis_metric_series_limit'), LIMITS.series);
  assert.equal(sampleValue(text, 'apisix_nginx_metric_errors_total'), 40);
  assert.equal(instance.handles.texts.byteLength, LIMITS.textBytes);
});

test('room for texts and for numbers is bounded too, and what is there already still counts under its own labels', () => {
  for (const limits of [
    { ...LIMITS, textBytes: 1024 },
    { ...LIMITS, cells: 30 },
  ]) {
    const instance = new InstanceMetrics(1, { ...limits, series: 1000 });
    const waits = new WorkerMetrics(instance.handles, 0).histogram(WAITS, [1, 2, 3]);
    for (let round = 0; round < 2; round++) for (let route = 0; route < 100; route++) waits.observe([`the route ${route}`], 1);
    const text = textOf(instance);
    const counts = parseExposition(text).filter(({ name }) => name === 'apisix_waits_count');
    assert.ok(counts.length > 2 && counts.length < 100);
    assert.equal(counts.reduce((sum, { value }) => sum + value, 0), 200); // biome-ignore format: one thought
    assert.equal(sampleValue(text, 'apisix_waits_count', { route: 'the route 0' }), 2);
  }
});

test('a label set of empty values is a series like others, and one that nobody touched is not shown', () => {
  const instance = new InstanceMetrics(1);
  const hits = new WorkerMetrics(instance.handles, 0).counter(HITS);
  hits.add(['200', 'a']);
  assert.equal(sampleValue(textOf(instance), 'portcullis_hits', { code: '', route: '' }), undefined);
  hits.add(['', '']);
  assert.equal(sampleValue(textOf(instance), 'portcullis_hits', { code: '', route: '' }), 1);
  assert.equal(sampleValue(textOf(instance), 'portcullis_metric_updates_beyond_limit_total', { metric: 'portcullis_hits' }), undefined);
});

test('label values may be any text: none passes for another, long ones are cut', () => {
  const instance = new InstanceMetrics(1);
  const hits = new WorkerMetrics(instance.handles, 0).counter(HITS);
  hits.add(['a\0b', 'c']);
  hits.add(['a', 'b\0c']);
  hits.add(['a', 'b\0c']);
  hits.add(['{"x\\\n', '日本 \ud800']);
  hits.add(['x'.repeat(5000), '']);
  const text = textOf(instance);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: 'a\uFFFDb', route: 'c' }), 1);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: 'a', route: 'b\uFFFDc' }), 2);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: '{"x\\\n', route: '日本 \uFFFD' }), 1);
  assert.equal(sampleValue(text, 'portcullis_hits', { code: 'x'.repeat(1024), route: '' }), 1);
});

test('the same definition gives the same metric, another one of the same name is refused, as is what Prometheus would not take', () => {
  const instance = new InstanceMetrics(2);
  const [one, two] = [new WorkerMetrics(instance.handles, 0), new WorkerMetrics(instance.handles, 1)];
  assert.equal(one.counter(HITS), one.counter({ ...HITS }));
  two.counter(HITS);
  assert.throws(() => two.counter({ ...HITS, labels: ['code'] }), TypeError);
  assert.throws(() => one.gauge(HITS), TypeError);
  one.histogram(WAITS, [1, 2]);
  assert.throws(() => two.histogram(WAITS, [1, 3]), TypeError);
  const bad = ['', '1a', 'a-b', 'a b', 'a{', 'ä', 'x'.repeat(300)];
  for (const name of bad) assert.throws(() => one.counter({ ...HITS, name: `apisix_${name}-` }), TypeError);
  for (const labels of [['a-b'], ['__a'], ['a', 'a'], ['1']]) assert.throws(() => one.counter({ name: 'x', help: '', labels }), TypeError);
  for (const buckets of [[], [2, 1], [1, 1], [Number.NaN], [Number.POSITIVE_INFINITY]]) {
    assert.throws(() => one.histogram({ name: 'y', help: '', labels: [] }, buckets), TypeError);
  }
  assert.throws(() => one.histogram({ name: 'z', help: '', labels: ['le'] }, [1]), TypeError);
  assert.throws(() => one.counter(HITS).add(['200']), TypeError);
});

test('there are only so many metrics', () => {
  const metrics = new WorkerMetrics(new InstanceMetrics(1, LIMITS).handles, 0);
  for (let index = 0; index < LIMITS.metrics; index++) metrics.counter({ name: `m${index}`, help: '', labels: [] });
  assert.throws(() => metrics.counter({ name: 'more', help: '', labels: [] }), RangeError);
});

test('memory is bounded from the start and holds what the limits promise', () => {
  const instance = new InstanceMetrics(10);
  assert.equal(METRICS_LIMITS.series, 20_000);
  assert.ok(instance.handles.cells.byteLength < 10 * 2.2 * 1024 * 1024);
  const metrics = new WorkerMetrics(instance.handles, 0);
  const hits = metrics.counter(HITS);
  const waits = metrics.histogram(WAITS, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000]);
  for (let route = 0; route < METRICS_LIMITS.series / 2; route++) {
    hits.add(['200', `route-${route}`]);
    waits.observe([`route-${route}`], 3);
  }
  assert.doesNotMatch(textOf(instance), /beyond_limit_total\{/);
  hits.add(['200', 'one more']);
  assert.match(textOf(instance), /beyond_limit_total\{metric="portcullis_hits"\} 1$/m);
});

test('threads that meet the same label sets at the same time count each exactly, also with one that is ended in the middle', async () => {
  const instance = new InstanceMetrics(4);
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const threads = [0, 1, 2, 3].map((row) => {
    return new Worker(new URL('./counting-worker.child.ts', import.meta.url), { workerData: { handles: instance.handles, row, gate } });
  });
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const [dying, ...others] = threads;
  const finished = others.map((thread) => once(thread, 'exit'));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await dying?.terminate();
  await Promise.all(finished);
  const samples = parseExposition(textOf(instance)).filter(({ name }) => name === 'portcullis_hits');
  const labels = samples.map((sample) => JSON.stringify(sample.labels));
  assert.equal(new Set(labels).size, labels.length, 'each label set has one series');
  assert.equal(samples.length, 2000);
  for (const { value } of samples) assert.ok(value >= 30 && value <= 40);
});
