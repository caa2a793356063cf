import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify } from '@node-rs/argon2';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';
import { resetPassword } from './users.ts';

test('a reset password replaces the old one, must be changed, and is audited without being told', async (t) => {
  const { store, clock, history } = await makeAdminFixture(t);
  const { password } = await resetPassword({ store, clock, random: systemRandom, revokeTokens: false, username: 'admin' });
  const user = await store.findUserByName('admin');
  assert.ok(user);
  assert.match(user.passwordHash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await verify(user.passwordHash, password), true);
  assert.equal(await verify(user.passwordHash, 'password'), false);
  assert.equal(user.mustChangePassword, true);
  const [entry] = await history.pageOfAudit(undefined, 1);
  assert.equal(entry?.action, 'user.reset-password');
  assert.ok(!JSON.stringify(entry).includes(password));
});

test('a user that does not exist gets no password', async (t) => {
  const { store, clock } = await makeAdminFixture(t);
  await assert.rejects(resetPassword({ store, clock, random: systemRandom, revokeTokens: false, username: 'nobody' }), StartError);
});

test('a reset on the command line ends the sessions of the user and an open invite', async (t) => {
  const { store, clock, admin, anybody, signIn, withCookie, makePerson } = await makePeopleFixture(t);
  const { username, password } = await makePerson('jane');
  const session = withCookie(await signIn(username, password));
  const invited = (await admin('POST', '/api/invites', { username: 'new' })).body.value;
  for (const name of ['jane', 'new']) await resetPassword({ store, clock, random: systemRandom, revokeTokens: false, username: name });
  assert.equal((await session('GET', '/api/me')).status, 401);
  const token = String(invited.invitation_link).split('#')[1];
  assert.equal((await anybody('POST', '/api/invites/accept', { token, password: 'long enough' })).status, 404);
});

test('a reset on the command line ends the tokens of the user where that is asked for', async (t) => {
  const { store, clock, history, admin, makePerson } = await makePeopleFixture(t);
  const jane = await makePerson('jane');
  const reset = (revokeTokens: boolean) => resetPassword({ store, clock, random: systemRandom, username: 'jane', revokeTokens });
  await reset(false);
  assert.equal((await jane.send('GET', '/api/me')).status, 200);
  await reset(true);
  assert.equal((await jane.send('GET', '/api/me')).status, 401);
  assert.equal((await admin('GET', '/api/me')).status, 200);
  assert.deepEqual((await history.pageOfAudit(undefined, 1))[0]?.detail, { username: 'jane', revoked_tokens: 1 });
});
