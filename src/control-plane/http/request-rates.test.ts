import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { PortcullisError } from '../../errors/index.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';
import { REQUEST_RATES } from '../testing/request-rates.ts';
import { RequestRates } from './request-rates.ts';

/** How many of so many requests are let in. */
function admitted(count: number, admit: () => void): number {
  let taken = 0;
  for (let index = 0; index < count; index += 1) {
    try {
      admit();
      taken += 1;
    } catch (error) {
      assert.ok(error instanceof PortcullisError && error.reason === 'admin_too_many_requests');
      assert.ok((error.retryAfterSeconds ?? 0) >= 1);
    }
  }
  return taken;
}

test('an address has a minute’s worth at once, the addresses of one /64 together, and 0 is no limit', () => {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const rates = new RequestRates({ perAddress: 2, perUser: 1 }, clock, log);
  assert.equal(
    admitted(200, () => rates.admitAddress('2001:db8::1')),
    120,
  );
  assert.equal(
    admitted(10, () => rates.admitAddress('2001:db8::2')),
    0,
  );
  assert.equal(
    admitted(10, () => rates.admitAddress('2001:db8:0:1::2')),
    10,
  );
  clock.advance(1_000);
  assert.equal(
    admitted(10, () => rates.admitAddress('2001:db8::2')),
    2,
  );
  assert.equal(log.lines.length, 1, 'not one line a refusal');
  clock.advance(10_000);
  admitted(200, () => rates.admitAddress('2001:db8::2'));
  assert.deepEqual(
    log.lines.map(({ level, fields }) => [level, fields]),
    [
      ['warn', { address: '2001:db8::1', refused: 1 }],
      ['warn', { address: '2001:db8::2', refused: 98 }],
    ],
  );
  const free = new RequestRates({ perAddress: 0, perUser: 0 }, clock, log);
  assert.equal(
    admitted(100_000, () => free.admitAddress('192.0.2.1')),
    100_000,
  );
});

test('a client that writes ten thousand resources as fast as it can never meets the defaults', () => {
  const rates = new RequestRates(REQUEST_RATES, new FakeClock(), new RecordingLogger());
  // No time passes at all.
  assert.equal(
    admitted(60_000, () => rates.admitAddress('192.0.2.1')),
    60_000,
  );
});

test('who asks too often gets 429 and when to come again, by any of his tokens, and others go on', async (t) => {
  const { makePerson, admin, signIn, withCookie, clock, log } = await makePeopleFixture(t, { requestRates: { perAddress: 0, perUser: 1 } });
  const jane = await makePerson('jane', ['viewer_id']);
  const second = (await jane.send('POST', '/api/tokens', { name: 'second', expires_at: 0 })).body.value.token;
  const session = withCookie(await signIn('jane', jane.password));
  const ask = (): ReturnType<typeof session> => session('GET', '/api/me');
  let last = await ask();
  for (let count = 0; count < 100 && last.status === 200; count += 1) last = await ask();
  assert.deepEqual([last.status, last.headers['retry-after'], last.body], [429, '1', { error_msg: 'too many requests: try again later' }]);
  assert.equal((await jane.send('GET', '/api/me')).status, 429);
  assert.equal((await session('GET', '/api/me', undefined, { 'x-api-key': second })).status, 429);
  assert.equal((await session('PUT', '/api/me', { name: 'x'.repeat(100) })).status, 429);
  assert.equal((await admin('GET', '/api/me')).status, 200);
  clock.advance(1_000);
  assert.equal((await jane.send('GET', '/api/me')).status, 200);
  assert.equal((await jane.send('GET', '/api/me')).status, 429);
  const lines = log.lines.filter(({ fields }) => fields?.status === 429);
  assert.ok(lines.length > 3 && lines.every(({ level }) => level === 'debug'), 'a flood is no flood of lines');
  assert.ok(!JSON.stringify(log.lines).includes(second));
});

test('an address that asks too often is refused before anything is looked at, but for health probes', async (t) => {
  const { anybody, clock } = await makePeopleFixture(t, { requestRates: { perAddress: 1, perUser: 0 } });
  const wrong = { 'x-api-key': 'wrong' };
  for (let count = 0; count < 60; count += 1) assert.equal((await anybody('GET', '/api/me', undefined, wrong)).status, 401);
  for (const [method, path] of [
    ['GET', '/api/me'],
    ['GET', '/unknown'],
    ['GET', '/api/docs'],
    ['POST', '/api/login'],
  ] as const) {
    assert.equal((await anybody(method, path)).status, 429, path);
  }
  assert.equal((await anybody('GET', '/healthz')).status, 200);
  assert.equal((await anybody('GET', '/api/status')).status, 200);
  clock.advance(1_000);
  assert.equal((await anybody('GET', '/api/me', undefined, wrong)).status, 401);
});

test('behind a trusted proxy each client is one of its own: in limits, in the slowing of wrong passwords and in the audit log', async (t) => {
  const { anybody, history } = await makePeopleFixture(t, { trustedProxy: '127.0.0.1', requestRates: { perAddress: 1, perUser: 0 } });
  const from = (address: string) => ({ 'x-forwarded-for': `127.0.0.1, ${address}` });
  const wrong = (address: string) => anybody('POST', '/api/login', { username: 'admin', password: 'wrong' }, from(address));
  for (let count = 0; count < 5; count += 1) assert.equal((await wrong('192.0.2.1')).status, 401);
  assert.equal((await wrong('192.0.2.1')).status, 429);
  assert.equal((await wrong('192.0.2.2')).status, 401);
  assert.equal((await history.pageOfAudit(undefined, 1))[0]?.address, '192.0.2.2');
  for (let count = 0; count < 60; count += 1) await anybody('GET', '/unknown', undefined, from('192.0.2.1'));
  assert.equal((await anybody('GET', '/unknown', undefined, from('192.0.2.1'))).status, 429);
  assert.equal((await anybody('GET', '/unknown', undefined, from('192.0.2.3'))).status, 401);
});

test('without a trusted proxy nobody chooses his address', async (t) => {
  const { anybody, history } = await makePeopleFixture(t);
  await anybody('POST', '/api/login', { username: 'admin', password: 'wrong' }, { 'x-forwarded-for': '192.0.2.9' });
  assert.equal((await history.pageOfAudit(undefined, 1))[0]?.address, '127.0.0.1');
});
