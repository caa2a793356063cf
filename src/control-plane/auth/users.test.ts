import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify } from '@node-rs/argon2';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { resetPassword } from './users.ts';

test('a reset password replaces the old one, must be changed, and is audited without being told', async (t) => {
  const { store, clock, history } = await makeAdminFixture(t);
  const { password } = await resetPassword({ store, clock, random: systemRandom, username: 'admin' });
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
  await assert.rejects(resetPassword({ store, clock, random: systemRandom, username: 'nobody' }), StartError);
});
