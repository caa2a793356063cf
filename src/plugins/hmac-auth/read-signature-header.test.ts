import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readSignatureHeader } from './read-signature-header.ts';

const EXPECTED = { keyId: 'k', algorithm: 'hmac-sha256', headers: ['@request-target', 'date'], signature: 'c2ln' };

test('members are read in any order, quoted or not, with blanks around them', () => {
  const values = [
    'Signature keyId="k",algorithm="hmac-sha256",headers="@request-target date",signature="c2ln"',
    'Signature signature="c2ln",headers="@request-target date",algorithm="hmac-sha256",keyId="k"',
    'Signature  keyId = "k" ,\talgorithm=hmac-sha256 , headers="@request-target date", signature=c2ln',
    'Signature keyId=k,algorithm="hmac-sha256",headers="  @request-target  date ",signature="c2ln",',
    'SignaturekeyId="k",algorithm="hmac-sha256",headers="@request-target date",signature="c2ln"',
  ];
  for (const value of values) assert.deepEqual(readSignatureHeader(value), EXPECTED, value);
});

test('members in any order say the same, with unknown and broken ones between them', () => {
  const members = ['keyId="k"', 'algorithm="hmac-sha256"', 'headers="@request-target date"', 'signature="c2ln"'];
  const strangers = ['created=1402170695', 'opaque="a, b"', 'broken', '="x"', 'keyid="other"', 'key-id="other"', '', ' ', '"'];
  fc.assert(
    fc.property(fc.shuffledSubarray([...members, ...strangers.slice(0, -1)], { minLength: 12, maxLength: 12 }), (all) => {
      assert.deepEqual(readSignatureHeader(`Signature ${all.join(',')}`), EXPECTED);
    }),
  );
});

test('of equal members the last one counts', () => {
  assert.equal(readSignatureHeader('Signature keyId="a",keyId="b"')?.keyId, 'b');
});

test('a quoted value may hold commas, and a backslash is a character like others', () => {
  assert.equal(readSignatureHeader('Signature keyId="a,b=\\c"')?.keyId, 'a,b=\\c');
});

test('what is missing is missing', () => {
  const nothing = { keyId: undefined, algorithm: undefined, headers: [], signature: undefined };
  for (const value of [
    'Signature',
    'Signature ',
    'Signature ,,,',
    'Signature keyId',
    'Signature keyId=',
    'Signature keyId="k',
    'Signature "',
  ]) {
    assert.deepEqual(readSignatureHeader(value), nothing, value);
  }
  assert.equal(readSignatureHeader('Signature keyId="",signature=""')?.keyId, '');
});

test('another scheme, or the same in another case, is none', () => {
  for (const value of [
    '',
    'signature keyId="k"',
    'SIGNATURE keyId="k"',
    ' Signature keyId="k"',
    'Basic eDp5',
    'Hmac Signature keyId="k"',
  ]) {
    assert.equal(readSignatureHeader(value), undefined);
  }
});

test('at most 100 names of headers are taken', () => {
  const names = Array.from({ length: 150 }, (_, index) => `x-${index}`);
  assert.deepEqual(readSignatureHeader(`Signature headers="${names.join(' ')}"`)?.headers, names.slice(0, 100));
});

test('hostile headers of 64 KiB are read in passing', () => {
  const hostile = ['"', 'a="', 'a=,', ',', '\t', 'a="b"c', '=', 'a=b ', `a=${'"'.repeat(9)}`].map((piece) =>
    piece.repeat(65_536 / piece.length),
  );
  const startedAt = performance.now();
  for (const text of hostile) assert.equal(readSignatureHeader(`Signature ${text}`)?.keyId, undefined);
  assert.ok(performance.now() - startedAt < 1000, 'reading takes time that grows with the length, not with its square');
});
