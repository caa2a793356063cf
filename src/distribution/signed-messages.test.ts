import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredResource } from '../store/store.ts';
import { parseItems } from './parse-payload.ts';
import { SignedSource } from './test-support/signed-source.ts';

const KEY = 'the clear API key';
const PASSWORD = 'the clear password';
const NEEDED = 'a secret to compute with';

/** Every kind of resource that holds secrets, with all of them where they belong and where they do not. */
function writeSecrets(source: SignedSource): void {
  const put = (kind: string, id: string, plugins: StoredResource['document'], unique: readonly string[], parentId = ''): void => {
    const pointers = Object.entries(plugins).flatMap(([plugin, fields]) =>
      Object.keys(Object(fields))
        .filter((field) => ['key', 'password', 'secret_key', 'redis_password'].includes(field))
        .map((field) => `/plugins/${plugin}/${field}`),
    );
    const key = { groupId: 'default', kind, parentId, id };
    const digests = unique.map((space, index) => ({ space, digest: Buffer.alloc(32, index + 1) }));
    source.store.putWithSecrets({ key, document: { username: id, plugins }, unique: digests }, pointers);
  };
  const credentials = {
    'key-auth': { key: KEY },
    'basic-auth': { username: 'jack', password: PASSWORD },
    'hmac-auth': { key_id: 'jack', secret_key: NEEDED },
  };
  const limit = { 'limit-count': { count: 1, redis_password: NEEDED } };
  put('consumer', 'jack', { ...credentials, ...limit }, ['key-auth', 'basic-auth', 'hmac-auth']);
  put('credential', 'k', { 'key-auth': { key: KEY } }, ['key-auth'], 'jack');
  put('credential', 'b', { 'basic-auth': { username: 'jill', password: PASSWORD } }, ['basic-auth'], 'jack');
  const mistaken = { 'key-auth': { key: KEY }, 'basic-auth': { password: PASSWORD }, 'from-the-future': { key: KEY } };
  for (const kind of ['service', 'route', 'global_rule']) put(kind, kind, { ...mistaken, ...limit }, []);
}

test('no clear API key travels, wherever it was written; what plugins compute with does', async () => {
  const source = new SignedSource();
  writeSecrets(source);
  for (const texts of [await source.snapshot(), [await source.delta(0)]]) {
    const all = texts.join('\n');
    assert.ok(!all.includes(KEY) && !all.includes(PASSWORD), all);
    // hmac-auth's secret, and limit-count's on four kinds of resources.
    assert.equal(all.split(NEEDED).length - 1, 5);
  }
});

test('a credential travels as the digest of its unique value and what its plugin makes of the rest', async () => {
  const source = new SignedSource();
  writeSecrets(source);
  const items = (await source.snapshot())
    .map((text) => JSON.parse(text))
    .filter((message) => message.kind === 'snapshot-part')
    .flatMap((message) => parseItems(message.payload).items);
  const dataOf = (name: string) =>
    items.flatMap((item) => ('keys' in item && item.id === name ? item.keys.map((key) => [key.plugin, key.data]) : []));
  assert.deepEqual(dataOf('k'), [['key-auth', undefined]]);
  const [[plugin, data] = []] = dataOf('b');
  assert.equal(plugin, 'basic-auth');
  assert.match(JSON.stringify(data), /^\{"password_digest":"[A-Za-z0-9+/]{43}="\}$/);
  assert.deepEqual(dataOf('jack'), [
    ['key-auth', undefined],
    ['basic-auth', data],
    ['hmac-auth', { secret_key: NEEDED }],
  ]);
});
