import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeReport } from './audit-verb.ts';

const HASH = Buffer.alloc(32, 0xab);

test('a whole log is said to be whole, with the end to note and what retention took', () => {
  const head = { number: 9, hash: HASH };
  const expected = `The audit log is whole: 5 entries. Entries up to 4 were removed by retention.\nIts end, to note elsewhere: 9:${'ab'.repeat(32)}\n`;
  assert.equal(describeReport({ entries: 5, head, forgottenUpTo: 4, breaks: [] }), expected);
});

test('every kind of break says in a sentence where it is', () => {
  const text = describeReport({
    entries: 5,
    head: 'missing',
    forgottenUpTo: undefined,
    breaks: [
      { kind: 'changed', number: 3 },
      { kind: 'gap', number: 7, after: 4 },
      { kind: 'gap', number: 2, after: 0 },
      { kind: 'unchained', number: 5 },
      { kind: 'beyond', number: 11 },
      { kind: 'end', last: 8, expected: 10 },
      { kind: 'end', last: 10, expected: 10 },
      { kind: 'lost', which: 'head', state: 'missing' },
      { kind: 'noted', number: 6 },
    ],
  });
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 10);
  assert.match(lines[0] ?? '', /NOT whole/);
  for (const [index, pattern] of [/entry 3 was changed/, /entry 7 does not follow entry 4/, /begin with entry 2/, /entry 5/].entries()) {
    assert.match(lines[index + 1] ?? '', pattern);
  }
});
