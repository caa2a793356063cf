import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { systemRandom } from '../lib/random.ts';
import { FieldCipher } from './field-cipher.ts';
import type { Keyring, KeyringKey } from './keyring.ts';

const CONTEXT = ['setting', 'salt'];

test('what is sealed opens to the same bytes, and never looks the same twice', () => {
  const cipher = new FieldCipher(keyringOf(keyOf('k1', 1)));
  for (const plain of [Buffer.alloc(0), Buffer.from('key'), systemRandom.bytes(100_000)]) {
    const sealed = cipher.seal(plain, CONTEXT);
    assert.match(sealed, /^enc1:k1:[A-Za-z0-9_-]+$/);
    assert.notEqual(sealed, cipher.seal(plain, CONTEXT));
    assert.deepEqual(cipher.open(sealed, CONTEXT), plain);
  }
});

test('the first key seals and every key of the ring opens', () => {
  const sealed = new FieldCipher(keyringOf(keyOf('old', 1))).seal(Buffer.from('x'), CONTEXT);
  const rotated = new FieldCipher(keyringOf(keyOf('new', 2), keyOf('old', 1)));
  assert.equal(rotated.open(sealed, CONTEXT).toString(), 'x');
  assert.match(rotated.seal(Buffer.from('x'), CONTEXT), /^enc1:new:/);
});

test('a ciphertext opens nowhere but in its own place', () => {
  const cipher = new FieldCipher(keyringOf(keyOf('k1', 1)));
  const place = ['resource', 'default', 'credential', 'alice', 'c1', '/plugins/key-auth/key'];
  const sealed = cipher.seal(Buffer.from('secret'), place);
  const elsewhere = place.map((_, index) => place.with(index, `${place[index]}x`));
  // Parts that were only joined would give the same text here.
  elsewhere.push(['resource', 'default', 'credential', 'al', 'icec1', '/plugins/key-auth/key'], place.slice(0, -1), CONTEXT);
  for (const context of elsewhere) assert.throws(() => cipher.open(sealed, context), { reason: 'admin_internal' });
});

test('a changed, cut or foreign ciphertext is refused, and the error tells neither key nor value', () => {
  const cipher = new FieldCipher(keyringOf(keyOf('k1', 1), keyOf('k2', 2)));
  const sealed = cipher.seal(Buffer.from('plain-secret'), CONTEXT);
  const bytes = Buffer.from(sealed.slice('enc1:k1:'.length), 'base64url');
  const flipped = Array.from({ length: bytes.length }, (_, index) => bytes.with(index, (bytes[index] ?? 0) ^ 1));
  const texts = [
    ...flipped.map((changed) => `enc1:k1:${Buffer.from(changed).toString('base64url')}`),
    `enc1:k2:${bytes.toString('base64url')}`,
    `enc1:k3:${bytes.toString('base64url')}`,
    `enc1:k1:${bytes.subarray(0, 20).toString('base64url')}`,
    `enc1:k1:${bytes.subarray(0, -1).toString('base64url')}`,
    'enc1:k1:',
    'plain-secret',
    '',
  ];
  for (const text of texts) {
    assert.throws(
      () => cipher.open(text, CONTEXT),
      (error) => error instanceof Error && /cannot be opened/.test(error.message) && !error.message.includes('plain-secret'),
    );
  }
});

test('without a key nothing is sealed', () => {
  assert.throws(() => new FieldCipher(keyringOf()).seal(Buffer.from('x'), CONTEXT), /holds no key/);
});

function keyOf(id: string, fill: number): KeyringKey {
  return { id, secret: createSecretKey(Buffer.alloc(32, fill)) };
}

function keyringOf(...keys: readonly KeyringKey[]): Keyring {
  return {
    file: 'keyring.json',
    random: systemRandom,
    keys,
    first: keys[0],
    find: (id) => keys.find((key) => key.id === id),
    refresh: () => undefined,
    reload: () => undefined,
    create: async () => undefined,
  };
}
