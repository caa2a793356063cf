import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseExposition } from '../../test-support/parse-exposition.ts';
import { headOf, histogramLines, labelsText, type MetricShape, sampleLine } from './exposition-text.ts';

const shape: MetricShape = { kind: 'histogram', name: 'waits', help: 'a \\ and\na line', labels: ['route'], buckets: [1, 2.5, 10] };

test('a metric begins with its help on one line and its type', () => {
  assert.equal(headOf(shape), '# HELP waits a \\\\ and\\na line\n# TYPE waits histogram\n');
});

test('a line has its labels in braces, and none where there are none', () => {
  assert.equal(sampleLine('hits', labelsText(['code', 'route'], ['200', 'r"1']), 7), 'hits{code="200",route="r\\"1"} 7\n');
  assert.equal(sampleLine('hits', '', 0.25), 'hits 0.25\n');
  assert.equal(sampleLine('hits', '', Number.POSITIVE_INFINITY, 'le="1"'), 'hits{le="1"} +Inf\n');
});

test('a histogram counts up to each bound, and its count is that of the last bucket', () => {
  const lines = [
    'waits_bucket{route="r",le="1"} 4',
    'waits_bucket{route="r",le="2.5"} 4',
    'waits_bucket{route="r",le="10"} 7',
    'waits_bucket{route="r",le="+Inf"} 9',
    'waits_sum{route="r"} 123.5',
    'waits_count{route="r"} 9',
  ];
  assert.equal(histogramLines(shape, 'route="r"', [4, 0, 3, 2], 123.5), `${lines.join('\n')}\n`);
});

test('whatever a label value is, a reader gets it back, and nothing of it passes for a line or label of its own', () => {
  const anything = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\r', '{', '}', ',', '=', ' ', '#', 'é', '日', '😀', 'n') });
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0 }), (values, value) => {
      const names = values.map((_, index) => `label${index}`);
      const [sample, ...others] = parseExposition(sampleLine('hits', labelsText(names, values), value));
      assert.equal(others.length, 0);
      assert.deepEqual(sample, { name: 'hits', labels: Object.fromEntries(names.map((name, index) => [name, values[index]])), value });
    }),
  );
});

test('NUL, which ends a text for some readers, is replaced', () => {
  assert.equal(labelsText(['a'], ['x\0y']), 'a="x\uFFFDy"');
});
