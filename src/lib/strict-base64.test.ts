import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeBase64, decodeBase64Url } from './strict-base64.ts';

test('what was encoded is decoded again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (array) => {
      const bytes = Buffer.from(array);
      const padded = bytes.toString('base64');
      assert.deepEqual(decodeBase64(padded), bytes);
      assert.deepEqual(decodeBase64(padded.replaceAll('=', '')), bytes);
      assert.deepEqual(decodeBase64Url(bytes.toString('base64url')), bytes);
    }),
  );
});

test('no two texts without padding give the same bytes', () => {
  const text = fc.string({ unit: fc.constantFrom(...'AZaz09+/-_= \n'), maxLength: 12 });
  fc.assert(
    fc.property(text, (candidate) => {
      const plain = decodeBase64(candidate);
      if (plain !== undefined) assert.equal(plain.toString('base64').replaceAll('=', ''), candidate.replaceAll('=', ''));
      const url = decodeBase64Url(candidate);
      if (url !== undefined) assert.equal(url.toString('base64url'), candidate);
    }),
  );
});

test('what is not quite base64 is refused', () => {
  for (const text of [
    '',
    '=',
    'A',
    'AAAAA',
    'QR==',
    'QUJ=A',
    'QQ=',
    'QQ===',
    'QUI==',
    '=QQ=',
    'QQ ==',
    ' QQ==',
    'QQ==\n',
    'Q-_A',
    'QUI\u0100',
  ]) {
    assert.equal(decodeBase64(text), undefined, text);
  }
  for (const text of ['A', 'QQ==', 'QR', 'Q+/A', 'QQ ', 'QQ\n', 'QQ.QQ', 'QUI\u0100']) assert.equal(decodeBase64Url(text), undefined, text);
  assert.equal(decodeBase64Url('')?.length, 0);
});
