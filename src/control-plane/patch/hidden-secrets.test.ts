import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { hideSecrets } from './hidden-secrets.ts';

const DOCUMENT = { name: 'n', key: 'the key', keys: ['first', 'second'], client: { ca: 'ca' } };
const POINTERS = ['/key', '/keys/0', '/keys/1'];

test('a hidden document holds none of the secrets, and gets all of them back', () => {
  const hidden = hideSecrets(DOCUMENT, POINTERS, systemRandom);
  const text = JSON.stringify(hidden.document);
  for (const secret of ['the key', 'first', 'second']) assert.ok(!text.includes(secret));
  assert.deepEqual(
    hidden.restore(hidden.document, () => POINTERS),
    DOCUMENT,
  );
});

test('secrets move with the fields that may hold them, and go with those that are taken away', () => {
  const { document, restore } = hideSecrets(DOCUMENT, POINTERS, systemRandom);
  const { key, ...rest } = document;
  const swapped = { ...rest, keys: [document.keys].flat().toReversed() } as never;
  assert.deepEqual(
    restore(swapped, () => ['/keys/0', '/keys/1']),
    { name: 'n', keys: ['second', 'first'], client: { ca: 'ca' } },
  );
});

test('a secret that a patch took to a field which answers show is refused, not stored', () => {
  const { document, restore } = hideSecrets(DOCUMENT, POINTERS, systemRandom);
  for (const patched of [
    { ...document, name: document.key },
    { ...document, client: { ca: document.key } },
    { ...document, copy: { ...document } },
  ]) {
    assert.throws(() => restore(patched as never, () => POINTERS), { publicMessage: /a secret cannot be taken to another field/ });
  }
});
