import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestRequest } from '../../plugin-kit/testing/index.ts';
import { formatTraceparent, isTraceId, readParentContext } from './trace-context.ts';

// The example of W3C Trace Context §3.2.4.
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

function read(...lines: readonly string[]) {
  return readParentContext(new TestRequest({ headers: lines.map((value) => ['traceparent', value]) }));
}

test('a traceparent is read as the recommendation says', () => {
  assert.deepEqual(read(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, spanId: SPAN, sampled: true, traceState: '' });
  assert.equal(read(`00-${TRACE}-${SPAN}-00`)?.sampled, false);
  assert.equal(read(`00-${TRACE}-${SPAN}-03`)?.sampled, true);
  assert.equal(read(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.sampled, true);
});

test('what breaks the rules is no parent', () => {
  for (const bad of [
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01x`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `0-${TRACE}-${SPAN}-01`,
    `00${TRACE}${SPAN}01`,
  ]) {
    assert.equal(read(bad), undefined, bad);
  }
  assert.equal(read(`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`), undefined);
  assert.equal(readParentContext(new TestRequest()), undefined);
});

test('a tracestate over several lines is one', () => {
  const headers = [
    ['traceparent', `00-${TRACE}-${SPAN}-01`],
    ['tracestate', 'a=1,b=2'],
    ['Tracestate', 'c=3'],
  ] as const;
  assert.equal(readParentContext(new TestRequest({ headers }))?.traceState, 'a=1,b=2,c=3');
});

test('what is written is read back', () => {
  assert.equal(formatTraceparent(TRACE, SPAN, true), `00-${TRACE}-${SPAN}-01`);
  assert.equal(read(formatTraceparent(TRACE, SPAN, false))?.sampled, false);
  assert.equal(isTraceId(TRACE), true);
  for (const bad of ['', '0'.repeat(32), TRACE.slice(1), `${TRACE}0`, TRACE.toUpperCase()]) assert.equal(isTraceId(bad), false);
});
