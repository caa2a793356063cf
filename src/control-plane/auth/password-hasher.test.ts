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
  const order: string[] = [];
  const ask = (address: string) =>
    hasher.verify(address, undefined, 'x').then(
      () => order.push(address),
      () => order.push(`${address} refused`),
    );
  const flood = Array.from({ length: 200 }, (_, index) => ask(`2001:db8::${index.toString(16)}`));
  await ask(HERE);
  // Two were being made, two may have had their turn before.
  const served = order.filter((entry) => !entry.endsWith('refused')).indexOf(HERE);
  assert.ok(served >= 0 && served <= 4, `${served} came before`);
  await Promise.all(flood);
  assert.equal(order.filter((entry) => entry.endsWith('refused')).length, 200 - 2 - 63);
});
