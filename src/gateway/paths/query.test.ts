import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteStringOf } from '../../lib/byte-string.ts';
import type { QueryArgument } from '../../plugin-kit/index.ts';
import { findQueryArgument, removeQueryArgument } from './query.ts';

test('an argument is absent, a flag, single or repeated', () => {
  const cases: ReadonlyArray<readonly [query: string, found: QueryArgument]> = [
    ['', { kind: 'absent' }],
    ['a=1', { kind: 'absent' }],
    ['keys=1&ke=2&xkey=3', { kind: 'absent' }],
    ['KEY=1', { kind: 'absent' }],
    ['key', { kind: 'flag' }],
    ['a&key&b', { kind: 'flag' }],
    ['key=', { kind: 'single', value: '' }],
    ['key=v', { kind: 'single', value: 'v' }],
    ['a=key=1&key=v=w', { kind: 'single', value: 'v=w' }],
    ['k%65y=v', { kind: 'single', value: 'v' }],
    ['key=a%20b+c%2Bd', { kind: 'single', value: 'a b c+d' }],
    ['key=%zz%4', { kind: 'single', value: '%zz%4' }],
    ['key=%00', { kind: 'single', value: '\0' }],
    ['key=caf%C3%A9', { kind: 'single', value: 'caf\xc3\xa9' }],
    ['key=v;key=w', { kind: 'single', value: 'v;key=w' }],
    ['key=1&key=1', { kind: 'repeated' }],
    ['key&key', { kind: 'repeated' }],
    ['key=1&%6Bey', { kind: 'repeated' }],
    ['&&key=1&', { kind: 'single', value: '1' }],
    ['=key', { kind: 'absent' }],
  ];
  for (const [query, found] of cases) assert.deepEqual(findQueryArgument(query, 'key'), found, query);
});

test('names are compared decoded, and a name without characters is never there', () => {
  assert.deepEqual(findQueryArgument('caf%C3%A9=1', 'café'), { kind: 'single', value: '1' });
  assert.deepEqual(findQueryArgument('a+b=1', 'a b'), { kind: 'single', value: '1' });
  assert.deepEqual(findQueryArgument('=1', ''), { kind: 'absent' });
});

test('removing an argument leaves the others byte for byte, in their order', () => {
  const cases: ReadonlyArray<readonly [query: string, left: string]> = [
    ['key=1', ''],
    ['key', ''],
    ['b=1%202&key=k&a=&c&d=x%2Fy', 'b=1%202&a=&c&d=x%2Fy'],
    ['key=1&a=2&k%65y=3&key', 'a=2'],
    ['a=%zz&&key=1&+=%', 'a=%zz&&+=%'],
    ['keys=1', 'keys=1'],
    ['', ''],
    ['&key=1', ''],
  ];
  for (const [query, left] of cases) assert.equal(removeQueryArgument(query, 'key'), left, query);
  assert.equal(removeQueryArgument('=1&a', ''), '=1&a');
});

test('what was removed is absent afterwards, and nothing else has changed', () => {
  const piece = fc.constantFrom('key', 'k%65y', 'other', 'ke', 'keys', '', '=', '=v', '=%6B', '+', '%', '&');
  const query = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(query, (text) => {
      const left = removeQueryArgument(text, 'key');
      assert.deepEqual(findQueryArgument(left, 'key'), { kind: 'absent' });
      for (const name of ['other', 'ke', 'keys', ' ', '%']) assert.deepEqual(findQueryArgument(left, name), findQueryArgument(text, name));
    }),
    { numRuns: 2000 },
  );
});

test('arguments are found as URLSearchParams finds them', () => {
  const pair = fc.tuple(fc.constantFrom('a', 'key', 'k y', 'é'), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 6 }), (pairs) => {
      const parameters = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value.toWellFormed()]));
      for (const name of ['a', 'key', 'k y', 'é', 'z']) {
        const values = parameters.getAll(name);
        const [value = ''] = values;
        const expected =
          values.length === 0
            ? { kind: 'absent' }
            : values.length > 1
              ? { kind: 'repeated' }
              : { kind: 'single', value: byteStringOf(value) };
        assert.deepEqual(findQueryArgument(parameters.toString(), name), expected);
      }
    }),
  );
});
