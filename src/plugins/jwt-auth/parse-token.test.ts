import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseToken } from './parse-token.ts';
import { encodePart, makeToken } from './testing/make-token.ts';

const HEADER = encodePart({ alg: 'HS256' });
const PAYLOAD = encodePart({ key: 'k' });

test('a token is taken apart', () => {
  const token = parseToken(`${HEADER}.${PAYLOAD}.c2ln`);
  assert.deepEqual(token?.header, { alg: 'HS256' });
  assert.deepEqual(token.payload, { key: 'k' });
  assert.equal(token.signingInput, `${HEADER}.${PAYLOAD}`);
  assert.equal(token.signature.toString(), 'sig');
  assert.equal(parseToken(`${HEADER}.${PAYLOAD}.`)?.signature.length, 0);
});

test('whatever JSON objects a token is made of come out of it again', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(object, object, (header, payload) => {
      const parsed = parseToken(makeToken(payload, { header }));
      assert.equal(JSON.stringify(parsed?.header), JSON.stringify(header));
      assert.equal(JSON.stringify(parsed?.payload), JSON.stringify(payload));
    }),
  );
});

test('what is not three parts in strict base64url, two of them JSON objects in UTF-8, is no token', () => {
  const malformed = [
    '',
    '.',
    '..',
    '...',
    HEADER,
    `${HEADER}.${PAYLOAD}`,
    `${HEADER}..c2ln`,
    `.${PAYLOAD}.c2ln`,
    `${HEADER}.${PAYLOAD}.c2ln.`,
    `${HEADER}.${PAYLOAD}.c2ln.a.b`,
    `${HEADER}.${PAYLOAD}.c2ln=`,
    `${HEADER}.${PAYLOAD}.c2lu `,
    `${HEADER}.${PAYLOAD}.c2+n`,
    `${HEADER}.${PAYLOAD}.c2l`,
    `${HEADER}.${PAYLOAD}.c`,
    ` ${HEADER}.${PAYLOAD}.c2ln`,
    `${HEADER}=.${PAYLOAD}.c2ln`,
    `${HEADER}.${PAYLOAD}\n.c2ln`,
    `${HEADER}.\u00ff.c2ln`,
    `Bearer ${HEADER}.${PAYLOAD}.c2ln`,
    `${encodePart('not json')}.${PAYLOAD}.c2ln`,
    `${encodePart('{"alg":"HS256"')}.${PAYLOAD}.c2ln`,
    `${encodePart('{"alg":"HS256"}{}')}.${PAYLOAD}.c2ln`,
    `${encodePart('\ufeff{"alg":"HS256"}')}.${PAYLOAD}.c2ln`,
    `${HEADER}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}.c2ln`,
  ];
  for (const token of malformed) assert.equal(parseToken(token), undefined, JSON.stringify(token));
  for (const value of [null, 1, '"text"', [], [{ alg: 'HS256' }], true]) {
    assert.equal(parseToken(`${encodePart(value)}.${PAYLOAD}.c2ln`), undefined);
    assert.equal(parseToken(`${HEADER}.${encodePart(value)}.c2ln`), undefined);
  }
});

test('a token may have 16 KiB and no more, however deep it nests', () => {
  const padded = (characters: number): string => makeToken({ key: 'k', padding: 'x'.repeat(characters) });
  const longest = Array.from({ length: 8 }, (_, index) => padded(12_200 + index)).filter((token) => token.length <= 16_384);
  const [shorter = ''] = longest.slice(-1);
  assert.ok(shorter.length > 16_200);
  const room = Math.floor(((16_384 - shorter.length) * 3) / 4);
  assert.notEqual(parseToken(padded(12_200 + longest.length - 1 + room)), undefined);
  assert.equal(parseToken(padded(12_200 + longest.length - 1 + room + 3)), undefined);
  assert.equal(parseToken(padded(49_000)), undefined);
  assert.equal(parseToken('.'.repeat(65_536)), undefined);
  assert.equal(parseToken(`${encodePart(`{"a":${'['.repeat(4000)}${']'.repeat(4000)}}`)}.${PAYLOAD}.c2ln`)?.payload.key, 'k');
});

test('a member called __proto__ is a member and nothing else', () => {
  const token = parseToken(`${encodePart('{"__proto__":{"alg":"HS256"}}')}.${encodePart('{"__proto__":{"key":"k"}}')}.c2ln`);
  assert.equal(token?.header.alg, undefined);
  assert.equal(token?.payload.key, undefined);
  assert.equal(Object.getPrototypeOf(token?.payload), Object.prototype);
  assert.equal(({} as Record<string, unknown>).key, undefined);
});

test('of equal members the last one counts', () => {
  const token = parseToken(`${encodePart('{"alg":"none","alg":"HS256"}')}.${encodePart('{"key":"a","key":"b"}')}.c2ln`);
  assert.equal(token?.header.alg, 'HS256');
  assert.equal(token.payload.key, 'b');
});
