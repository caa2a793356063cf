import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_PASSWORD, cookieOf, makePeopleFixture } from '../testing/people-fixture.ts';

const NEW_PASSWORD = 'Admin12345!@#$%';
const LOGIN = { username: 'admin', password: ADMIN_PASSWORD };

test("ADC's own set-up works: sign in, change the password, invite, assign a role, sign in as the invited, make a token", async (t) => {
  const { anybody, withCookie, signIn } = await makePeopleFixture(t);
  const first = withCookie(await signIn('admin', ADMIN_PASSWORD));
  assert.equal((await first('PUT', '/api/password', { old_password: ADMIN_PASSWORD, new_password: NEW_PASSWORD })).status, 200);
  const admin = withCookie(await signIn('admin', NEW_PASSWORD));
  assert.equal((await admin('PUT', '/api/license', { data: 'x' })).status, 200);
  const invited = await admin('POST', '/api/invites', { username: 'test', password: 'test' });
  const { id } = invited.body.value;
  assert.equal((await admin('PUT', `/api/users/${id}/assigned_roles`, { roles: ['super_admin_id'] })).status, 200);
  const fresh = withCookie(await signIn('test', 'test'));
  assert.equal((await fresh('PUT', '/api/password', { old_password: 'test', new_password: NEW_PASSWORD })).status, 200);
  const user = withCookie(await signIn('test', NEW_PASSWORD));
  const made = await user('POST', '/api/tokens', { expires_at: 0, name: '0b1f3c1e-5d6e-4c52-9c05-8a1f30f0e4a1' });
  const { token } = made.body.value;
  assert.match(token, /^a7ee-/);
  assert.equal((await anybody('GET', '/api/gateway_groups', undefined, { 'x-api-key': token })).body.total, 1);
});

test('before a first password is changed nothing else is allowed but to leave, to look at oneself, and tokens', async (t) => {
  const { admin, withCookie, signIn, anybody } = await makePeopleFixture(t);
  const session = withCookie(await signIn('admin', ADMIN_PASSWORD));
  const basic = { authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}` };
  for (const refused of [
    await session('GET', '/api/gateway_groups'),
    await session('POST', '/api/tokens', { name: 'n', expires_at: 0 }),
    await session('PUT', '/apisix/admin/consumers/jack?gateway_group_id=default', { username: 'jack' }),
    await anybody('GET', '/api/users', undefined, basic),
  ]) {
    assert.deepEqual([refused.status, /PUT \/api\/password/.test(refused.body.error_msg)], [403, true]);
  }
  assert.equal((await session('GET', '/api/me')).body.value.must_change_password, true);
  assert.equal((await admin('GET', '/api/gateway_groups')).status, 200);
  assert.equal((await session('POST', '/api/logout')).status, 200);
  assert.equal((await session('GET', '/api/me')).status, 401);
});

test('the cookie is for this host alone, out of reach for scripts and other sites, and kept as a hash', async (t) => {
  const { anybody, store } = await makePeopleFixture(t);
  const answer = await anybody('POST', '/api/login', LOGIN);
  assert.match(
    String(answer.headers['set-cookie']),
    /^__Host-portcullis=[0-9A-Za-z]{43}; Path=\/; Max-Age=86400; HttpOnly; Secure; SameSite=Strict$/,
  );
  assert.equal(answer.body.value.username, 'admin');
  assert.ok(!answer.text.includes('argon2'));
  const value = cookieOf(answer).split('=')[1] ?? '';
  assert.ok(!JSON.stringify(await store.listRecords('session')).includes(value));
});

test('a session that somebody brings along is not taken over: each sign-in makes a new one', async (t) => {
  const { anybody, withCookie, signIn } = await makePeopleFixture(t);
  const planted = `__Host-portcullis=${'a'.repeat(43)}`;
  const answer = await anybody('POST', '/api/login', LOGIN, { cookie: planted });
  assert.notEqual(cookieOf(answer), planted);
  assert.equal((await withCookie(planted)('GET', '/api/me')).status, 401);
  assert.notEqual(await signIn('admin', ADMIN_PASSWORD), await signIn('admin', ADMIN_PASSWORD));
  const mine = await signIn('admin', ADMIN_PASSWORD);
  // Two cookies of the name: it is not ours to choose.
  assert.equal((await withCookie(`${planted}; ${mine}`)('GET', '/api/me')).status, 401);
  assert.equal((await withCookie(`other=1; ${mine}; x`)('GET', '/api/me')).status, 200);
});

test('a session ends after two idle hours, after a day at the latest, and a clock set back revives none', async (t) => {
  const { clock, people, withCookie, signIn } = await makePeopleFixture(t);
  const idle = withCookie(await signIn('admin', ADMIN_PASSWORD));
  const busy = withCookie(await signIn('admin', ADMIN_PASSWORD));
  for (let hour = 1; hour < 24; hour += 1) {
    clock.setWallClock(clock.nowMs() + 3_600_000);
    assert.equal((await busy('GET', '/api/me')).status, 200, `hour ${hour}`);
    await people.uses.flush();
    if (hour >= 2) assert.equal((await idle('GET', '/api/me')).status, 401);
  }
  clock.setWallClock(clock.nowMs() + 3_600_000);
  assert.equal((await busy('GET', '/api/me')).status, 401);
});

test('changing the password ends all other sessions and keeps this one; an eleventh session ends the oldest', async (t) => {
  const { clock, withCookie, signIn } = await makePeopleFixture(t);
  const here = withCookie(await signIn('admin', ADMIN_PASSWORD));
  const elsewhere = withCookie(await signIn('admin', ADMIN_PASSWORD));
  assert.equal((await here('PUT', '/api/password', { old_password: ADMIN_PASSWORD, new_password: NEW_PASSWORD })).status, 200);
  assert.equal((await here('GET', '/api/me')).body.value.must_change_password, false);
  assert.equal((await elsewhere('GET', '/api/me')).status, 401);
  for (let count = 0; count < 10; count += 1) {
    clock.advance(1_000);
    await signIn('admin', NEW_PASSWORD);
  }
  assert.equal((await here('GET', '/api/me')).status, 401);
});

test('a new password must be long enough, another one, and not the name; the old one must be right', async (t) => {
  const { withCookie, signIn, admin } = await makePeopleFixture(t);
  const session = withCookie(await signIn('admin', ADMIN_PASSWORD));
  const change = (body: unknown) => session('PUT', '/api/password', body);
  for (const [body, pointer] of [
    [{ old_password: ADMIN_PASSWORD, new_password: 'short' }, '/new_password'],
    [{ old_password: ADMIN_PASSWORD, new_password: ADMIN_PASSWORD }, '/new_password'],
    [{ old_password: ADMIN_PASSWORD, new_password: 'x'.repeat(129) }, '/new_password'],
    [{ old_password: 'wrong one', new_password: NEW_PASSWORD }, '/old_password'],
    [{ old_password: ADMIN_PASSWORD }, '/new_password'],
    [{ new_password: NEW_PASSWORD }, '/old_password'],
  ] as const) {
    const answer = await change(body);
    assert.equal(answer.status, 400);
    assert.match(answer.body.error_msg, new RegExp(`Error at "${pointer}"`));
    assert.ok(!answer.text.includes('wrong one'));
  }
  assert.equal((await change('no object')).status, 400);
  // A token can change it as well, with the old one.
  assert.equal((await admin('PUT', '/api/password', { old_password: ADMIN_PASSWORD, new_password: NEW_PASSWORD })).status, 200);
});

test('a wrong password and an unknown name are answered with the same words, and neither is written down', async (t) => {
  const { anybody, history, log } = await makePeopleFixture(t);
  const wrong = await anybody('POST', '/api/login', { username: 'admin', password: 'not this one' });
  const unknown = await anybody('POST', '/api/login', { username: 'my-secret-in-the-wrong-field', password: 'not this one' });
  assert.deepEqual([wrong.status, wrong.body], [401, { error_msg: 'wrong user name or password' }]);
  assert.deepEqual([unknown.status, unknown.body], [wrong.status, wrong.body]);
  const [last, first] = await history.pageOfAudit(undefined, 2);
  assert.deepEqual(
    [first?.action, first?.author.name, last?.action, last?.author.name],
    ['user.sign-in-failed', 'admin', 'user.sign-in-failed', 'unknown'],
  );
  assert.ok(!JSON.stringify([last, first, log.lines]).includes('secret-in'));
});

test('after five wrong passwords the pair of address and account waits, longer each time, and others do not', async (t) => {
  const { app, anybody, clock, signIn, makePerson } = await makePeopleFixture(t);
  await makePerson('other');
  const wrong = () => anybody('POST', '/api/login', { username: 'admin', password: 'wrong' });
  for (let count = 0; count < 5; count += 1) assert.equal((await wrong()).status, 401);
  const paused = await anybody('POST', '/api/login', LOGIN);
  assert.deepEqual([paused.status, paused.headers['retry-after']], [429, '1']);
  assert.ok(await signIn('other', 'the password of other'));
  const elsewhere = await app.inject({
    method: 'POST',
    url: '/api/login',
    remoteAddress: '192.0.2.7',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(LOGIN),
  });
  assert.equal(elsewhere.statusCode, 200);
  clock.advance(1_000);
  assert.equal((await wrong()).status, 401);
  assert.equal((await wrong()).headers['retry-after'], '2');
  clock.advance(2_000);
  assert.ok(await signIn('admin', ADMIN_PASSWORD));
  assert.equal((await wrong()).status, 401);
});

test('many attempts at once are no way around the pause, and not more than two hashes are made at once', async (t) => {
  const { anybody } = await makePeopleFixture(t);
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => anybody('POST', '/api/login', { username: 'admin', password: 'wrong' })),
  );
  const tried = answers.filter(({ status }) => status === 401).length;
  assert.ok(tried >= 5 && tried <= 7, `${tried} were tried`);
  assert.ok(answers.every(({ status }) => status === 401 || status === 429));
});

test('a form of another site cannot sign in, out or change anything', async (t) => {
  const { anybody, withCookie, signIn } = await makePeopleFixture(t);
  const json = { 'content-type': 'application/json' };
  const text = JSON.stringify(LOGIN);
  for (const [headers, status] of [
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'content-type': 'application/jsonp' }, 415],
    [{ ...json, origin: 'https://evil.example' }, 403],
    [{ ...json, origin: 'null' }, 403],
    [{ ...json, origin: 'http://localhost:80' }, 403],
    [{ ...json, 'sec-fetch-site': 'cross-site' }, 403],
    [{ ...json, 'sec-fetch-site': 'same-site' }, 403],
    [{ ...json, origin: 'https://localhost:80', 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'content-type': 'Application/JSON; charset=utf-8' }, 200],
  ] as const) {
    const answer = await anybody('POST', '/api/login', text, headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  const cookie = await signIn('admin', ADMIN_PASSWORD);
  const crossSite = { 'sec-fetch-site': 'cross-site' };
  assert.equal((await withCookie(cookie)('POST', '/api/logout', undefined, crossSite)).status, 403);
  assert.equal((await withCookie(cookie)('GET', '/api/me', undefined, crossSite)).status, 200);
  const basic = { authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}` };
  assert.equal((await anybody('PUT', '/api/password', '{}', { ...basic, 'content-type': 'text/plain' })).status, 415);
  assert.equal((await anybody('PUT', '/api/password', '{}', { ...basic, ...crossSite })).status, 403);
});

test('Basic credentials work, in UTF-8 too, and malformed ones are nobody', async (t) => {
  const { anybody, makePerson, history } = await makePeopleFixture(t);
  const { password } = await makePerson('Åsa');
  const me = (credentials: string) =>
    anybody('GET', '/api/me', undefined, { authorization: `basic ${Buffer.from(credentials).toString('base64')}` });
  assert.equal((await me(`Åsa:${password}`)).body.value.username, 'Åsa');
  const before = (await history.pageOfAudit(undefined, 100)).length;
  await me(`Åsa:${password}`);
  assert.equal((await history.pageOfAudit(undefined, 100)).length, before, 'not one entry a request');
  for (const credentials of ['', 'Åsa', ':', `Åsa:`, `:${password}`, `Åsa:${'x'.repeat(200)}`, `ÅSA:${password}`]) {
    assert.equal((await me(credentials)).status, 401, credentials);
  }
  for (const authorization of ['Basic', 'Basic !!!', 'Bearer x', `Basic ${Buffer.from([0xff, 0x3a, 0x61]).toString('base64')}`]) {
    assert.equal((await anybody('GET', '/api/me', undefined, { authorization })).status, 401, authorization);
  }
});

test('a wrong token is not made good by a cookie, and none is read from query, cookie or Bearer', async (t) => {
  const { anybody, withCookie, signIn, app } = await makePeopleFixture(t);
  const cookie = await signIn('admin', ADMIN_PASSWORD);
  assert.equal((await withCookie(cookie)('GET', '/api/me', undefined, { 'x-api-key': 'wrong' })).status, 401);
  const token = 'a-token-that-only-tests-know';
  for (const [url, headers] of [
    [`/api/me?api_key=${token}`, {}],
    [`/api/me?X-API-KEY=${token}`, {}],
    ['/api/me', { cookie: `X-API-KEY=${token}; x_api_key=${token}; __Host-portcullis=${token}` }],
    ['/api/me', { authorization: `Bearer ${token}` }],
  ] as const) {
    assert.equal((await app.inject({ method: 'GET', url, headers })).statusCode, 401, url);
  }
  assert.equal((await anybody('GET', '/api/me')).status, 401);
});

test('whoever signs in, out, or fails to, is in the audit log', async (t) => {
  const { withCookie, signIn, history } = await makePeopleFixture(t);
  await withCookie(await signIn('admin', ADMIN_PASSWORD))('POST', '/api/logout');
  const [out, entry] = await history.pageOfAudit(undefined, 2);
  assert.deepEqual(
    [out?.action, entry?.action, entry?.address, entry?.detail],
    ['user.sign-out', 'user.sign-in', '127.0.0.1', { method: 'password' }],
  );
  assert.equal(entry?.author.name, 'admin');
});

test('failed sign-ins of one address fill neither the audit log nor the memory', async (t) => {
  const { anybody, history } = await makePeopleFixture(t);
  for (let count = 0; count < 30; count += 1) await anybody('POST', '/api/login', { username: `nobody-${count}`, password: 'x' });
  const failures = (await history.pageOfAudit(undefined, 100)).filter(({ action }) => action === 'user.sign-in-failed');
  assert.equal(failures.length, 20);
});

test('one tells one’s name and address oneself, and nothing that permissions depend on', async (t) => {
  const { makePerson, admin } = await makePeopleFixture(t);
  const { send, id } = await makePerson('jane', ['viewer_id']);
  await admin('PUT', `/api/users/${id}`, { labels: { team: 'a' } });
  const changed = await send('PUT', '/api/me', {
    name: 'Jane',
    email: 'jane@example.com',
    roles: ['super_admin_id'],
    labels: { team: 'b' },
  });
  const { name, email, labels, roles } = changed.body.value;
  assert.deepEqual(
    { name, email, labels, roles },
    { name: 'Jane', email: 'jane@example.com', labels: { team: 'a' }, roles: [{ id: 'viewer_id', name: 'Viewer' }] },
  );
  assert.equal((await send('PUT', '/api/me', { name: 5 })).status, 400);
});

test('hostile bodies of a sign-in are refused by their place, without being repeated', async (t) => {
  const { anybody } = await makePeopleFixture(t);
  for (const body of [
    '{"username":"admin","password":{"$ne":null}}',
    '{"username":["admin"],"password":"x"}',
    '{"__proto__":{"username":"admin"},"password":"x"}',
    '{"username":"admin","password":"x","password":"y"}',
    `{"username":"${'a'.repeat(200)}","password":"x"}`,
    '[]',
    '',
    '{"username":"","password":""}',
  ]) {
    const answer = await anybody('POST', '/api/login', body, { 'content-type': 'application/json' });
    assert.equal(answer.status, 400, body);
  }
  const huge = await anybody('POST', '/api/login', JSON.stringify({ username: 'admin', password: 'x'.repeat(20_000) }));
  assert.deepEqual([huge.status, huge.body], [413, { error_msg: 'request body too large: the limit is 16384 bytes' }]);
  const accepted = await anybody('POST', '/api/invites/accept', JSON.stringify({ token: 'x'.repeat(20_000), password: 'x' }));
  assert.equal(accepted.status, 413);
});
