import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { verify } from '@node-rs/argon2';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { StartError } from '../errors/index.ts';
import { systemRandom } from '../lib/random.ts';
import type { Store, StoreTransaction } from '../store/index.ts';
import { openInstallation } from './first-start.ts';
import { openControlPlaneStore } from './open-control-plane-store.ts';
import { callerOfToken } from './testing/caller-of-token.ts';

const clock = new FakeClock();
const GIVEN = { bootstrapToken: 'given-by-the-operator', adminPassword: 'given as well' };
const NOTHING_GIVEN = { bootstrapToken: undefined, adminPassword: undefined };

async function openStore(t: TestContext, folder: string) {
  const store = await openControlPlaneStore({ dataFolder: folder, keyringFile: `${folder}/keyring.json`, clock, random: systemRandom });
  t.after(() => store.close());
  return store;
}

const open = (store: Store, given: typeof GIVEN | typeof NOTHING_GIVEN) =>
  openInstallation({ store, ...given, clock, random: systemRandom });

test('the first start of a store makes the group, a user and a token of thirty days, and tells their secrets', async (t) => {
  const store = await openStore(t, await temporaryFolder(t));
  const { firstStart } = await open(store, NOTHING_GIVEN);
  assert.ok(firstStart?.token !== undefined && firstStart.password !== undefined);
  assert.equal(firstStart.username, 'admin');
  assert.equal(firstStart.tokenExpiresAt, clock.nowMs() / 1000 + 30 * 86_400);
  assert.ok(await callerOfToken(store, clock, firstStart.token));
  const user = await store.findUserByName('admin');
  assert.equal(user?.mustChangePassword, true);
  assert.equal(await verify(user?.passwordHash ?? '', firstStart.password), true);
  const group = await store.getGroup('default');
  assert.equal(group?.name, 'default');
});

test('given values are used, not told again, and the given token never expires', async (t) => {
  const store = await openStore(t, await temporaryFolder(t));
  const { firstStart } = await open(store, GIVEN);
  assert.deepEqual(firstStart, { username: 'admin', password: undefined, token: undefined, tokenExpiresAt: 0 });
  assert.ok(await callerOfToken(store, new FakeClock(clock.nowMs() * 4), GIVEN.bootstrapToken));
});

test('a later start reads the same installation and ignores what is given', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openStore(t, folder);
  const made = await open(first, NOTHING_GIVEN);
  await first.close();
  const second = await openStore(t, folder);
  const read = await open(second, GIVEN);
  assert.equal(read.firstStart, undefined);
  assert.deepEqual(read.installation, made.installation);
  assert.equal(await callerOfToken(second, clock, GIVEN.bootstrapToken), undefined);
  // Not even a value that would be refused on a first start matters now.
  assert.equal((await open(second, { bootstrapToken: 'short', adminPassword: '' })).firstStart, undefined);
});

test('two processes that start at once on one store make one installation', async (t) => {
  const folder = await temporaryFolder(t);
  const stores = [await openStore(t, folder), await openStore(t, folder)];
  const results = await Promise.all(stores.map((store) => open(store, NOTHING_GIVEN)));
  assert.equal(results.filter((result) => result.firstStart !== undefined).length, 1);
  assert.deepEqual(results[0]?.installation, results[1]?.installation);
});

test('a process that dies during the first start leaves a store for which the next start is the first', async (t) => {
  const store = await openStore(t, await temporaryFolder(t));
  for (const step of ['putSetting', 'putGroup', 'putUser', 'putToken', 'appendAudit'] as const) {
    await assert.rejects(open(dyingAt(store, step), GIVEN), /died/);
    assert.deepEqual([await store.listGroups(), await store.listUsers()], [[], []]);
  }
  const { firstStart } = await open(store, NOTHING_GIVEN);
  assert.ok(firstStart?.token !== undefined);
});

function dyingAt(store: Store, step: keyof StoreTransaction): Store {
  const die = (): Promise<never> => Promise.reject(new Error('died'));
  return new Proxy(store, {
    get: (target, name) => {
      if (name !== 'transaction') return Reflect.get(target, name).bind(target);
      return (author: Parameters<Store['transaction']>[0], work: (transaction: StoreTransaction) => Promise<unknown>) =>
        target.transaction(author, (transaction) =>
          work(new Proxy(transaction, { get: (inner, method) => (method === step ? die : Reflect.get(inner, method).bind(inner)) })),
        );
    },
  });
}

test('a given value of no use is refused, without being repeated, before anything is written', async (t) => {
  const store = await openStore(t, await temporaryFolder(t));
  for (const given of [
    { bootstrapToken: 'too-short', adminPassword: 'fine' },
    { bootstrapToken: GIVEN.bootstrapToken, adminPassword: '' },
    { bootstrapToken: GIVEN.bootstrapToken, adminPassword: 'x'.repeat(129) },
  ]) {
    await assert.rejects(open(store, given), (error) => error instanceof StartError && !/too-short|xxx/.test(error.message));
  }
  assert.deepEqual(await store.listGroups(), []);
});

test('no secret of the first start lies in the store in clear', async (t) => {
  const folder = await temporaryFolder(t);
  const store = await openStore(t, folder);
  const { installation, firstStart } = await open(store, NOTHING_GIVEN);
  await store.close();
  const secrets = [
    firstStart?.token,
    firstStart?.password,
    installation.keySalt,
    installation.signingKey.split('\n')[1],
    installation.authority.privateKey.split('\n')[1],
  ];
  for (const file of (await readdir(folder)).filter((name) => name.startsWith('store.sqlite'))) {
    const bytes = await readFile(path.join(folder, file));
    for (const secret of secrets) assert.ok(secret !== undefined && !bytes.includes(secret));
  }
});
