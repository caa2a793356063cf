import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PortcullisError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { PasswordHasher } from './password-hasher.ts';

const HERE = '192.0.2.1';

test('a hash is checked, and a user without one is never right', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const hashed = await hasher.hash(HERE, 'right');
  assert.match(hashed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(await Promise.all([hasher.verify(HERE, hashed, 'right'), hasher.verify(HERE, hashed, 'wrong')]), [true, false]);
  assert.deepEqual(await Promise.all([hasher.verify(HERE, undefined, 'right'), hasher.verify(HERE, '', '')]), [false, false]);
});

test('two run at once, the others wait, and too many are sent away', async () => {
  const hasher = new PasswordHasher(systemRandom);
  let running = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 100 }, async () => {
      await hasher.verify(HERE, undefined, 'x', () => {
        running += 1;
        most = Math.max(most, running);
      });
      running -= 1;
    }),
  );
  const refused = results.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 34);
  assert.ok(refused.every((result) => result.status === 'rejected' && result.reason instanceof PortcullisError));
  // A place is handed on a moment before its result is seen here.
  assert.ok(most <= 4, `${most} ran at once`);
});

test('a refusal when its turn has come hands the place on', async () => {
  const hasher = new PasswordHasher(systemRandom);
  const refuse = () => {
    throw new Error('paused');
  };
  const refused = await Promise.allSettled(Array.from({ length: 5 }, () => hasher.verify(HERE, undefined, 'x', refuse)));
  assert.ok(refused.every(({ status }) => status === 'rejected'));
  assert.equal(await hasher.verify(HERE, undefined, 'x'), false);
});

test('an address that asks for all there is keeps no other from its turn', async () => {
  const hasher = new PasswordHasher(systemRandom);
  // Who began, not who was done: which of two that run side by side is done first is the machine's affair.
  const turns: string[] = [];
  const ask = (address: string) => hasher.verify(address, undefined, 'x', () => turns.push(address));
  const flood = Promise.allSettled(Array.from({ length: 200 }, (_, index) => ask(`2001:db8::${index.toString(16)}`)));
  await ask(HERE);
  // Two were being made, one of those that wait has its turn before.
  assert.ok(turns.indexOf(HERE) <= 3, `${turns.indexOf(HERE)} came before`);
  const refused = (await flood).filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 200 - 2 - 63);
  assert.equal(turns.length, 2 + 64);
});
