import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { createSelfSignedCertificate } from '../../distribution/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { authenticatorOf } from '../testing/caller-of-token.ts';
import { REQUEST_RATES } from '../testing/request-rates.ts';
import { startAdminServer } from './admin-server.ts';
import { AnswerMemory } from './answer-memory.ts';
import type { ApiRoute } from './api-route.ts';
import { ADMIN_SERVER_LIMITS } from './limits.ts';

const TOKEN = 'a-token-that-only-tests-know';

test('an answer that is sent in parts is made only as fast as it is read, and no further once its client has gone', async (t) => {
  const ended = Promise.withResolvers<number>();
  const parts = async function* (): AsyncGenerator<string> {
    let made = 0;
    try {
      for (; ; made += 1) {
        yield 'x'.repeat(65_536);
        await setImmediate();
      }
    } finally {
      ended.resolve(made);
    }
  };
  const port = await serve(t, {
    method: 'GET',
    path: '/long',
    permission: 'gateway:GetConsumer',
    handle: async () => ({ body: undefined, stream: { contentType: 'application/json', pieces: parts() } }),
  });
  const headers = { 'x-api-key': TOKEN };
  const asked = httpsRequest({ host: '127.0.0.1', port, path: '/long', headers, rejectUnauthorized: false }).end();
  const [response] = await once(asked, 'response');
  assert.deepEqual([response.statusCode, response.headers['content-type']], [200, 'application/json']);
  await once(response, 'data');
  response.pause();
  // So long as nothing is read, other requests are answered.
  for (let count = 0; count < 20; count += 1) {
    const other = httpsRequest({ host: '127.0.0.1', port, path: '/nothing', headers, rejectUnauthorized: false, agent: false }).end();
    const [answer] = await once(other, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 404);
  }
  response.destroy();
  assert.ok((await ended.promise) < 500);
});

/** Serves one route and returns its port. */
async function serve(t: TestContext, route: ApiRoute): Promise<number> {
  const clock = new FakeClock();
  const server = await startAdminServer({
    routes: [route],
    listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    authenticator: authenticatorOf(TOKEN),
    answers: new AnswerMemory(clock, clock),
    certificate: await createSelfSignedCertificate({ names: ['localhost'] }, systemClock),
    limits: ADMIN_SERVER_LIMITS,
    isAddressAllowed: () => true,
    isTrustedProxy: () => false,
    requestRates: REQUEST_RATES,
    softwareVersion: '1.2.3',
    clock,
    random: systemRandom,
    log: new RecordingLogger(),
  });
  t.after(async () => {
    const drained = server.drain(0);
    clock.advance(0);
    await drained;
  });
  return server.addresses[0]?.port ?? 0;
}
