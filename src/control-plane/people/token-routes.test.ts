import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_PASSWORD, makePeopleFixture } from '../testing/people-fixture.ts';

const NAMED = { name: 'deploy', expires_at: 0 };

test('a token is shown once, listed without its value, and found nowhere in the store', async (t) => {
  const { admin, store } = await makePeopleFixture(t);
  const made = await admin('POST', '/api/tokens', NAMED);
  const { id, token } = made.body.value;
  assert.match(token, /^a7ee-[0-9A-Za-z]{43}$/);
  const listed = await admin('GET', '/api/tokens');
  assert.equal(listed.body.total, 2);
  assert.ok(!listed.text.includes(token));
  const one = await admin('GET', `/api/tokens/${id}`);
  assert.deepEqual(Object.keys(one.body.value), ['id', 'name', 'user_id', 'expires_at', 'last_used_at', 'created_at']);
  assert.ok(!JSON.stringify(await store.getToken(id)).includes(token));
  assert.equal((await admin('GET', '/api/settings/tokens')).body.total, 2);
});

test('a token ends with its time, at once when revoked, and its old value when it is made anew', async (t) => {
  const { admin, anybody, clock } = await makePeopleFixture(t);
  const works = async (token: string) => (await anybody('GET', '/api/me', undefined, { 'x-api-key': token })).status === 200;
  const soon = clock.nowMs() / 1000 + 100;
  const { id, token } = (await admin('POST', '/api/tokens', { name: 'n', expires_at: soon })).body.value;
  assert.ok(await works(token));
  const anew = (await admin('PUT', `/api/tokens/${id}/regenerate`, { expires_at: soon })).body.value;
  assert.equal(anew.id, id);
  assert.deepEqual([await works(token), await works(anew.token)], [false, true]);
  clock.setWallClock(soon * 1000);
  assert.ok(!(await works(anew.token)));
  const last = (await admin('PUT', `/api/tokens/${id}/regenerate`, { expires_at: 0 })).body.value;
  assert.ok(await works(last.token));
  assert.deepEqual((await admin('DELETE', `/api/tokens/${id}`)).body, {});
  assert.ok(!(await works(last.token)));
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PUT', '', { name: 'x' }],
    ['PUT', '/regenerate', { expires_at: 0 }],
    ['DELETE', '', undefined],
  ] as const) {
    assert.equal((await admin(method, `/api/tokens/${id}${path}`, body)).status, 404, `${method} ${path}`);
  }
});

test('when a token was last used is kept, not with a write a request', async (t) => {
  const { admin, anybody, people, clock, store } = await makePeopleFixture(t);
  const { id, token } = (await admin('POST', '/api/tokens', NAMED)).body.value;
  const use = () => anybody('GET', '/api/me', undefined, { 'x-api-key': token });
  await use();
  const firstUse = clock.nowMs() / 1000;
  await people.uses.flush();
  clock.advance(30_000);
  await use();
  await people.uses.flush();
  assert.equal((await store.getToken(id))?.lastUsedAt, firstUse);
  clock.advance(31_000);
  await use();
  await people.uses.flush();
  assert.equal((await admin('GET', `/api/tokens/${id}`)).body.value.last_used_at, firstUse + 61);
});

test('a token of somebody else does not exist, for super admins neither', async (t) => {
  const { admin, makePerson } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  const [token] = (await jane.send('GET', '/api/tokens')).body.list;
  assert.equal((await admin('GET', `/api/tokens/${token.id}`)).status, 404);
  assert.equal((await admin('DELETE', `/api/tokens/${token.id}`)).status, 404);
  assert.ok(!(await admin('GET', '/api/tokens')).text.includes(token.id));
});

test('a token does what its user may do at this moment, and dies with the user', async (t) => {
  const { admin, makePerson } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  const read = async () => (await jane.send('GET', '/api/gateway_groups/default')).status;
  assert.equal(await read(), 403);
  await admin('PUT', `/api/users/${jane.id}/assigned_roles`, { roles: ['viewer_id'] });
  assert.equal(await read(), 200);
  await admin('PUT', `/api/users/${jane.id}/assigned_roles`, { roles: [] });
  assert.equal(await read(), 403);
  assert.equal((await admin('DELETE', `/api/users/${jane.id}`)).status, 200);
  assert.equal(await read(), 401);
});

test('what no token can be is 400, by its place; the audit log has every change and no value', async (t) => {
  const { admin, anybody, clock, history } = await makePeopleFixture(t);
  for (const [body, pointer] of [
    [{ expires_at: 0 }, '/name'],
    [{ name: 'n' }, '/expires_at'],
    [{ name: '', expires_at: 0 }, '/name'],
    [{ name: 'x'.repeat(41), expires_at: 0 }, '/name'],
    [{ name: 'a\nb', expires_at: 0 }, '/name'],
    [{ name: 'n', expires_at: clock.nowMs() / 1000 }, '/expires_at'],
    [{ name: 'n', expires_at: -1 }, '/expires_at'],
    [{ name: 'n', expires_at: 1.5 }, '/expires_at'],
    [{ name: 'n', expires_at: '0' }, '/expires_at'],
  ] as const) {
    const answer = await admin('POST', '/api/tokens', body);
    assert.deepEqual([answer.status, answer.body.error_msg.includes(`Error at "${pointer}"`)], [400, true], JSON.stringify(body));
  }
  assert.equal((await anybody('POST', '/api/tokens', NAMED)).status, 401);
  const { id, token } = (await admin('POST', '/api/tokens', NAMED)).body.value;
  const anew = (await admin('PUT', `/api/tokens/${id}/regenerate`, { expires_at: 0 })).body.value.token;
  assert.equal((await admin('PUT', `/api/tokens/${id}`, { name: 'renamed' })).body.value.name, 'renamed');
  await admin('DELETE', `/api/tokens/${id}`);
  const entries = await history.pageOfAudit(undefined, 4);
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['token.revoke', 'token.put', 'token.regenerate', 'token.create'],
  );
  assert.ok(![token, anew].some((value) => JSON.stringify(entries).includes(value)));
});

test('a session makes tokens too', async (t) => {
  const { signIn, withCookie, makePerson } = await makePeopleFixture(t);
  const { username, password } = await makePerson('jane');
  const session = withCookie(await signIn(username, password));
  assert.equal((await session('POST', '/api/tokens', NAMED)).status, 200);
  assert.notEqual(ADMIN_PASSWORD, password);
});

test('a user has so many tokens and no more, and each that ends makes room', async (t) => {
  const { makePerson, store, clock } = await makePeopleFixture(t);
  const { send, id } = await makePerson('jane');
  const author = { id: 'system', name: 'system' };
  const now = clock.nowMs() / 1000;
  await store.transaction(author, async (transaction) => {
    for (let count = 0; count < 600; count += 1) {
      // Of these a hundred have expired and one was revoked.
      const expiresAt = count < 100 ? now - 1 : 0;
      const revokedAt = count === 100 ? now : undefined;
      const tokenHash = Buffer.alloc(32, `${count}.`);
      await transaction.putToken({
        ...{ id: `t${count}`, name: 'n', userId: id, tokenHash, expiresAt, revokedAt },
        lastUsedAt: undefined,
        createdAt: now,
      });
    }
  });
  const make = () => send('POST', '/api/tokens', NAMED);
  assert.deepEqual((await make()).body, { error_msg: 'a user has at most 500 tokens: revoke one first' });
  assert.equal((await send('DELETE', '/api/tokens/t599')).status, 200);
  assert.equal((await make()).status, 200);
  assert.equal((await make()).status, 409);
});

test('what waits for its turn while its caller loses what let him in, or gets other permissions, does nothing', async (t) => {
  const { admin, makePerson, makeRole, signIn, withCookie, store } = await makePeopleFixture(t);
  const { roleId } = await makeRole('user admins', [{ effect: 'allow', actions: ['iam:*'], resources: ['*'] }]);
  const jane = await makePerson('jane', [roleId]);
  const victim = await makePerson('victim');
  /** Sends a request, and does something when its transaction is about to begin. */
  const late = async (send: () => ReturnType<typeof admin>, meanwhile: () => Promise<{ readonly status: number }>) => {
    const { transaction } = store;
    let isDone = false;
    t.mock.method(store, 'transaction', async (...parameters: Parameters<typeof transaction>) => {
      if (!isDone) {
        isDone = true;
        assert.equal((await meanwhile()).status, 200);
      }
      return transaction.apply(store, parameters);
    });
    const answer = await send();
    t.mock.restoreAll();
    assert.ok(isDone);
    return answer;
  };
  const session = withCookie(await signIn('jane', jane.password));
  const make = () => session('POST', '/api/tokens', NAMED);
  assert.equal((await late(make, () => admin('PUT', `/api/users/${jane.id}/password_reset`, {}))).status, 401);
  assert.equal((await admin('GET', `/api/users/${jane.id}/tokens`)).body.total, 1);
  const remove = () => jane.send('DELETE', `/api/users/${victim.id}`);
  const demoted = await late(remove, () => admin('PUT', `/api/users/${jane.id}/assigned_roles`, { roles: [] }));
  assert.deepEqual([demoted.status, demoted.body.error_msg], [403, 'Forbidden: your permissions have changed meanwhile: try again']);
  assert.equal((await admin('GET', `/api/users/${victim.id}`)).status, 200);
  const own = () => jane.send('POST', '/api/tokens', NAMED);
  assert.equal((await late(own, () => admin('DELETE', `/api/users/${jane.id}/tokens`))).status, 401);
  assert.equal((await admin('GET', `/api/users/${jane.id}/tokens`)).body.total, 0);
});
