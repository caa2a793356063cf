import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { callerOfToken } from '../testing/caller-of-token.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';
import { checkGivenToken, createApiToken, describeToken, hashToken } from './tokens.ts';

const AUTHOR = { id: 'cli', name: 'command line' };

async function makeToken(t: TestContext, expiresInDays: number) {
  const fixture = await makeAdminFixture(t);
  const { store, clock } = fixture;
  const made = await createApiToken({
    store,
    clock,
    random: systemRandom,
    name: 'deploy',
    username: undefined,
    expiresInDays,
    author: AUTHOR,
  });
  return { ...fixture, made };
}

test('a new token works until its last second and is kept as a hash only', async (t) => {
  const { store, clock, made } = await makeToken(t, 2);
  assert.match(made.token, /^a7ee-[0-9A-Za-z]{43}$/);
  assert.equal(made.expiresAt, clock.nowMs() / 1000 + 2 * 86_400);
  assert.equal((await callerOfToken(store, clock, made.token))?.tokenId, made.id);
  const row = await store.findTokenByHash(hashToken(Buffer.from(made.token)));
  assert.equal(row?.name, 'deploy');
  assert.ok(!JSON.stringify(row).includes(made.token));
  clock.setWallClock(made.expiresAt * 1000 - 1);
  assert.ok(await callerOfToken(store, clock, made.token));
  clock.setWallClock(made.expiresAt * 1000);
  assert.equal(await callerOfToken(store, clock, made.token), undefined);
});

test('a token of zero days never expires', async (t) => {
  const { store, clock, made } = await makeToken(t, 0);
  assert.equal(made.expiresAt, 0);
  clock.setWallClock(clock.nowMs() * 2);
  assert.ok(await callerOfToken(store, clock, made.token));
});

test('a new token is in the audit log, and not in clear', async (t) => {
  const { history, made } = await makeToken(t, 30);
  const [entry] = await history.pageOfAudit(undefined, 1);
  assert.equal(entry?.action, 'token.create');
  assert.deepEqual(entry?.author, AUTHOR);
  assert.equal(entry?.resource, `token/${made.id}`);
  assert.ok(!JSON.stringify(entry).includes(made.token));
});

test('a revoked token is refused, and so is everything that is no token', async (t) => {
  const { store, clock, made } = await makeToken(t, 30);
  const row = await store.findTokenByHash(hashToken(Buffer.from(made.token)));
  assert.ok(row);
  await store.transaction(AUTHOR, (transaction) => transaction.putToken({ ...row, revokedAt: 1 }));
  for (const value of [
    made.token,
    '',
    undefined,
    'a7ee-',
    ` ${made.token}`,
    made.token.toLowerCase(),
    `${made.token}, ${made.token}`,
    '\u00ff',
  ]) {
    assert.equal(await callerOfToken(store, clock, value), undefined);
  }
});

test('a name or life out of range makes no token', async (t) => {
  const { store, clock } = await makeAdminFixture(t);
  for (const [name, expiresInDays] of [
    ['', 1],
    ['x'.repeat(41), 1],
    ['a\nb', 1],
    ['a', -1],
    ['a', 0.5],
    ['a', Number.NaN],
    ['a', 1e9],
  ] as const) {
    await assert.rejects(
      createApiToken({ store, clock, random: systemRandom, name, username: undefined, expiresInDays, author: AUTHOR }),
      StartError,
    );
  }
});

test('a given token must be what a header carries unchanged', () => {
  for (const token of ['0123456789abcdef', 'a b'.repeat(6), 'é'.repeat(16), '~'.repeat(256)]) checkGivenToken(token);
  for (const token of [
    '',
    'x'.repeat(15),
    'x'.repeat(257),
    `${'x'.repeat(16)}\n`,
    ` ${'x'.repeat(16)}`,
    `${'x'.repeat(16)}\u0000`,
    `x\u2028${'x'.repeat(16)}`,
    `a7adm-${'x'.repeat(16)}`,
  ]) {
    assert.throws(
      () => checkGivenToken(token),
      (error) => error instanceof StartError && !error.message.includes('xxx'),
    );
  }
});

test('a token of any script matches the bytes that a header brings', async (t) => {
  const { store } = await makeAdminFixture(t);
  const clock = new FakeClock();
  const user = await store.findUserByName('admin');
  assert.ok(user);
  const token = 'schlüssel-für-die-tür';
  await store.transaction(AUTHOR, (transaction) =>
    transaction.putToken(describeToken(token, { id: 't', name: 'n', userId: user.id, expiresAt: 0, clock })),
  );
  assert.equal((await callerOfToken(store, clock, Buffer.from(token).toString('latin1')))?.tokenId, 't');
});

test('a token made on the command line is of the named user, of admin, or of a super admin where admin is gone', async (t) => {
  const { store, clock, admin, makePerson } = await makePeopleFixture(t);
  const jane = await makePerson('jane', ['super_admin_id']);
  await makePerson('nobody');
  const ownerOf = async (username: string | undefined) => {
    const made = await createApiToken({ store, clock, random: systemRandom, name: 'n', username, expiresInDays: 1, author: AUTHOR });
    return (await callerOfToken(store, clock, made.token))?.user.username;
  };
  assert.deepEqual([await ownerOf('nobody'), await ownerOf(undefined)], ['nobody', 'admin']);
  await assert.rejects(ownerOf('none'), StartError);
  const { id } = (await admin('GET', '/api/me')).body.value;
  assert.equal((await jane.send('DELETE', `/api/users/${id}`)).status, 200);
  assert.equal(await ownerOf(undefined), 'jane');
});
