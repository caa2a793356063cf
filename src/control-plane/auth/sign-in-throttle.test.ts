import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { PortcullisError } from '../../errors/index.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

function waitOf(throttle: SignInThrottle, address: string, username: string): number | undefined {
  try {
    throttle.assertMayTry(address, username);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof PortcullisError && error.reason === 'admin_sign_in_too_often');
    return error.retryAfterSeconds;
  }
}

test('the pause doubles from one second to five minutes, and quiet time ends it', () => {
  const clock = new FakeClock();
  const throttle = new SignInThrottle(clock);
  const pauses: (number | undefined)[] = [];
  for (let count = 0; count < 16; count += 1) {
    throttle.failed('192.0.2.1', 'admin');
    pauses.push(waitOf(throttle, '192.0.2.1', 'admin'));
  }
  assert.deepEqual(pauses, [undefined, undefined, undefined, undefined, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  assert.equal(waitOf(throttle, '192.0.2.1', 'other'), undefined);
  assert.equal(waitOf(throttle, '192.0.2.2', 'admin'), undefined);
  clock.advance(900_001);
  throttle.failed('192.0.2.1', 'admin');
  assert.equal(waitOf(throttle, '192.0.2.1', 'admin'), undefined);
});

test('one IPv6 customer is one address', () => {
  const throttle = new SignInThrottle(new FakeClock());
  for (let count = 0; count < 5; count += 1) throttle.failed(`2001:db8:0:1::${count}`, 'admin');
  assert.equal(waitOf(throttle, '2001:db8:0:1:ffff::1', 'admin'), 1);
  assert.equal(waitOf(throttle, '2001:db8:0:2::1', 'admin'), undefined);
});

test('a flood of invented names pushes no pause out', () => {
  const throttle = new SignInThrottle(new FakeClock());
  for (let count = 0; count < 6; count += 1) throttle.failed('192.0.2.1', 'admin');
  for (let count = 0; count < 20_000; count += 1) throttle.failed('192.0.2.1', `invented-${count}`);
  assert.equal(waitOf(throttle, '192.0.2.1', 'admin'), 2);
});

test('neither one address nor a network of them fills the audit log with failures', () => {
  const clock = new FakeClock();
  const throttle = new SignInThrottle(clock);
  const taken = (addresses: readonly string[]) => addresses.filter((address) => throttle.takesIntoAudit(address)).length;
  assert.equal(taken(Array.from({ length: 100 }, () => '192.0.2.1')), 20);
  const many = Array.from({ length: 30_000 }, (_, index) => `2001:db8:${(index >> 8).toString(16)}:${(index & 255).toString(16)}::1`);
  assert.equal(taken(many), 280);
  clock.advance(60_000);
  assert.equal(taken(['192.0.2.1']), 1);
});
