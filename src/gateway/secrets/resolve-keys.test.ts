import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestKey } from '../../lib/key-digest.ts';
import { Type } from '../../plugin-kit/index.ts';
import type { ReferencedKey } from '../../schema/index.ts';
import { resolveKeys } from './resolve-keys.ts';

const SALT = Buffer.alloc(32, 7);
const digestOf = (text: string): string => digestKey(SALT, Buffer.from(text)).toString('base64');
const PLUGINS = [
  { name: 'key-auth', consumerSchema: Type.Object({ key: Type.String() }) },
  {
    name: 'basic-auth',
    consumerSchema: Type.Object({
      username: Type.String(),
      password: Type.String({ minLength: 2 }),
      rounds: Type.Optional(Type.Integer({ default: 3 })),
    }),
    credentialData: ({ password, rounds }: Record<string, unknown>, digest: (text: string) => string) => {
      if (password === 'unusable') throw new Error('unusable');
      return { password_digest: digest(String(password)), rounds: Number(rounds) };
    },
  },
];

const resolve = (key: ReferencedKey, values: Record<string, string>) =>
  resolveKeys([key], { plugins: PLUGINS, keySalt: SALT, lookUp: (reference) => values[reference] });

const KEY: ReferencedKey = { plugin: 'key-auth', unique: { reference: '$env://KEY' } };

test('a key that is kept elsewhere is digested as if it had been written', () => {
  assert.deepEqual(resolve(KEY, { '$env://KEY': 'k€y' }), [{ plugin: 'key-auth', digest: digestOf('k€y') }]);
});

test('a key that does not resolve, is empty or is a reference itself gives no key', () => {
  assert.deepEqual(resolve(KEY, {}), []);
  assert.deepEqual(resolve(KEY, { '$env://KEY': '' }), []);
  assert.deepEqual(resolve(KEY, { '$env://KEY': '$env://KEY' }), []);
});

test('data comes with the key as it was sent, or is made of the resolved configuration with its defaults', () => {
  const sent: ReferencedKey = { plugin: 'basic-auth', unique: { reference: '$env://USER' }, data: { password_digest: 'd' } };
  assert.deepEqual(resolve(sent, { '$env://USER': 'u' }), [
    { plugin: 'basic-auth', digest: digestOf('u'), data: { password_digest: 'd' } },
  ]);
  const configuration = { username: 'u', password: '$env://PASSWORD' };
  const made: ReferencedKey = { plugin: 'basic-auth', unique: { digest: digestOf('u') }, configuration };
  assert.deepEqual(resolve(made, { '$env://PASSWORD': 'pw' }), [
    { plugin: 'basic-auth', digest: digestOf('u'), data: { password_digest: digestOf('pw'), rounds: 3 } },
  ]);
});

test('a credential that is not whole or not valid with its real values lets nobody in', () => {
  const configuration = { username: 'u', password: '$env://PASSWORD' };
  const key: ReferencedKey = { plugin: 'basic-auth', unique: { digest: digestOf('u') }, configuration };
  for (const password of [undefined, '', '$env://PASSWORD', 'unusable']) {
    assert.deepEqual(resolve(key, password === undefined ? {} : { '$env://PASSWORD': password }), [], String(password));
  }
  for (const plugin of ['key-auth', 'from-the-future']) {
    assert.deepEqual(resolve({ ...key, plugin }, { '$env://PASSWORD': 'pw' }), [], plugin);
  }
});
