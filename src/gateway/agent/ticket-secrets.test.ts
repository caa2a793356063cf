import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { TicketSecrets } from './ticket-secrets.ts';

test('the secret of session tickets is replaced every hour, and the one before it stays for another', () => {
  const clock = new FakeClock();
  const told: ReturnType<TicketSecrets['message']>[] = [];
  const secrets = new TicketSecrets({ random: systemRandom, clock, onRenewed: (message) => told.push(message) });
  const first = secrets.message();
  assert.equal(first.current.length, 32);
  assert.equal(first.previous, undefined);
  clock.advance(3_600_000);
  clock.advance(3_600_000);
  assert.equal(told.length, 2);
  assert.deepEqual(told[0]?.previous, first.current);
  assert.deepEqual(told[1]?.previous, told[0]?.current);
  assert.notDeepEqual(told[1]?.current, told[0]?.current);
  assert.deepEqual(secrets.message(), told[1]);
  secrets.stop();
  clock.advance(3_600_000);
  assert.equal(told.length, 2);
});
