import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSecretReference, parseSecretReference } from './secret-reference.ts';

test('a variable is named in any case of the prefix, with a field of its JSON or without', () => {
  const variable = (name: string, key?: string) => ({ ok: true, reference: { kind: 'environment', name, key } });
  assert.deepEqual(parseSecretReference('$env://KEY'), variable('KEY'));
  assert.deepEqual(parseSecretReference('$ENV://my.key-1'), variable('my.key-1'));
  assert.deepEqual(parseSecretReference('$Env://KEY/a/b'), variable('KEY', 'a/b'));
});

test('a secret is named by its provider, its name with slashes, and what follows the last one', () => {
  assert.deepEqual(parseSecretReference('$secret://vault/1/jack/key'), {
    ok: true,
    reference: { kind: 'secret', provider: 'vault/1', name: 'jack', key: 'key' },
  });
  assert.deepEqual(parseSecretReference('$secret://aws/prod.eu/team/a/key'), {
    ok: true,
    reference: { kind: 'secret', provider: 'aws/prod.eu', name: 'team/a', key: 'key' },
  });
});

test('what names nothing is malformed, and still is no text to be taken literally', () => {
  const malformed = [
    '$env://',
    '$env:///key',
    '$env://A=B',
    '$env://KEY/',
    '$env://KEY\n',
    '$secret://',
    '$secret://vault',
    '$secret://vault/1',
    '$secret://vault/1/key',
    '$secret://vault/1//key',
    '$secret://vault/1/jack/',
    '$secret://vault/1/../key',
    '$secret://vault/1/a/./key',
    '$secret://other/1/jack/key',
    '$secret://kubernetes/1/jack/key',
    '$SECRET://vault/1/jack/key',
    `$secret://vault/1/${'x'.repeat(2048)}/key`,
  ];
  for (const text of malformed) {
    assert.equal(parseSecretReference(text).ok, false, text);
    assert.equal(isSecretReference(text), true, text);
  }
});

test('a text that merely holds such a form is no reference', () => {
  for (const text of ['', 'env://KEY', ' $env://KEY', 'Bearer $env://KEY', '$env:/KEY', '$secrets://a/b/c/d']) {
    assert.equal(isSecretReference(text), false, text);
  }
});
