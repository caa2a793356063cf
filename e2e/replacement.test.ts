import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { startHeldUpstream } from '../src/gateway/testing/held-upstream.ts';
import { statusFor } from '../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../test-support/echo-upstream.ts';
import { openRawConnection } from '../test-support/raw-client.ts';
import { isAlive, type RunningInstance, runningInstance, until, untilGone } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { GUARDED_PATH, publishGuardedRoute } from './chaos/guarded-route.ts';

const REPLACEMENTS = 3;
/** So many connections at once that both processes get some. */
const CONNECTIONS = 8;
const PATIENT = { Prefer: 'wait=5' };
const UNLIMITED = ['--admin-requests-per-user', '0', '--admin-requests-per-address', '0'];

async function guarded(t: TestContext, upstreamPort: number, flags: readonly string[] = []): Promise<RunningInstance> {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags: [...UNLIMITED, ...flags] });
  await publishGuardedRoute(instance, upstreamPort, ['jack', 'barrier']);
  await until(async () => (await write(instance, 'before')) === '1/1', 'writes are in force');
  return instance;
}

/** What the answer says of where it is in force. */
async function write(instance: RunningInstance, key: string | undefined): Promise<string> {
  const path = '/apisix/admin/consumers/jack/credentials/one';
  const answer = await (key === undefined
    ? instance.admin('DELETE', path, undefined, PATIENT)
    : instance.admin('PUT', path, { plugins: { 'key-auth': { key } } }, PATIENT));
  assert.ok(answer.status < 300, `${answer.status}: ${JSON.stringify(answer.body)}`);
  return String(answer.headers['portcullis-applied']);
}

test('while the gateway process is replaced, what is told to be in force is so in both processes', async (t) => {
  const instance = await guarded(t, await startEchoUpstream(t));
  const port = instance.ports.http;
  let told = 0;
  for (let replacement = 0; replacement < REPLACEMENTS; replacement++) {
    const old = instance.child('gateway');
    instance.process.kill('SIGUSR2');
    for (let round = 0; isAlive(old); round++) {
      for (const key of [`key-${replacement}-${round}`, undefined]) {
        const applied = await write(instance, key);
        assert.match(applied, /^[01]\/1(;|$)/, 'the instance is counted all the time');
        if (applied !== '1/1') continue;
        const asked = key ?? `key-${replacement}-${round}`;
        const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => statusFor({ port, path: GUARDED_PATH, key: asked })));
        assert.deepEqual(
          [...new Set(answers)],
          [key === undefined ? 401 : 200],
          `${key === undefined ? 'after the revocation' : 'a new key'}`,
        );
        if (isAlive(old)) told++;
      }
    }
    await untilGone(old);
  }
  t.diagnostic(`${told} writes were in force before the old process had ended`);
  assert.ok(told > 0, 'writes were in force before the old process had ended');
  assert.equal(await instance.stop(), 0);
});

test('what runs in a process that was replaced ends with its credential', async (t) => {
  const upstream = await startHeldUpstream(t);
  const instance = await guarded(t, upstream.port, ['--drain-timeout', '600']);
  assert.equal(await write(instance, 'long'), '1/1');
  const old = instance.child('gateway');
  const client = await openRawConnection(t, { port: instance.ports.http });
  client.send(`GET ${GUARDED_PATH} HTTP/1.1\r\nHost: a\r\napikey: long\r\n\r\n`);
  await upstream.holds(1);
  // It begins and never ends.
  upstream.waiting[0]?.write('lasting');
  await until(() => client.unread.includes('lasting'), 'the answer has begun');
  const closed = once(client.socket, 'close');
  instance.process.kill('SIGUSR2');
  await until(() => instance.childProcesses().filter(({ role }) => role === 'gateway').length === 2, 'another process serves, too');
  await until(async () => (await write(instance, 'other')) === '1/1', 'the key is replaced in both');
  await closed;
  await untilGone(old);
  assert.equal(await instance.stop(), 0);
});
