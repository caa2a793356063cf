import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PLUGINS } from '../../plugins/index.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway, TEST_SALT } from '../testing/test-gateway.ts';
import { createGateway, type GatewayDefinition } from './index.ts';
import { snapshotOfDefinition } from './snapshot-of-definition.ts';
import { startUpstream } from './testing/echo-upstream.ts';

const definitionOn = (port: number): GatewayDefinition => ({
  services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] } } },
  routes: {
    open: { name: 'open', service_id: 's', paths: ['/open/*'], methods: ['GET', 'POST'] },
    guarded: { name: 'guarded', service_id: 's', paths: ['/guarded', '/guarded/*'], plugins: { 'key-auth': {}, cors: {} } },
    blocked: { name: 'blocked', service_id: 's', paths: ['/open/blocked*'], plugins: { 'uri-blocker': { block_rules: ['x=1'] } } },
  },
  consumers: { jack: { plugins: { 'ip-restriction': { blacklist: ['10.0.0.1'] } } } },
  credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
  globalRules: { 'ua-restriction': { plugins: { 'ua-restriction': { denylist: ['bot'], bypass_missing: true } } } },
});

const requestArbitrary = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PURGE', 'DELETE'),
  target: fc.constantFrom(
    '/open/a',
    '/open/a?b=1&apikey=the-key',
    '/open/%62locked?x=1',
    '/open/../guarded',
    '/open/blocked/x?x=1',
    '/guarded',
    '/guarded/a?apikey=the-key',
    '/guarded%2Fa',
    '/nowhere',
    '*',
    '/%00',
  ),
  headers: fc.subarray([
    'apikey: the-key',
    'apikey: wrong',
    'User-Agent: a bot',
    'Origin: http://a.example',
    'X-Consumer-Username: root',
    'Expect: x',
  ]),
});

/** Without what differs from one answer to the next. */
function comparable({ status, head, body }: { readonly status: number; readonly head: string; readonly body: string }): string {
  const lines = head.split('\r\n').filter((line) => !/^(Date|Portcullis-Request-Id):/i.test(line));
  return `${status}\n${lines.join('\n')}\n${body.replace(/127\.0\.0\.1:\d+/g, 'node')}`;
}

test('a gateway with its threads and one inside the process answer alike, whatever they are asked', async (t) => {
  const definition = definitionOn(await startUpstream(t));
  const real = await startTestGateway(t);
  await real.load(snapshotOfDefinition(definition, PLUGINS, TEST_SALT));
  await real.agent.whenReady();
  const inProcess = createGateway(definition);
  t.after(() => inProcess.close());
  const port = await inProcess.port();
  // Upstreams are told the listener's port, which a host of its own hides.
  const host = 'api.example:80';
  await fc.assert(
    fc.asyncProperty(requestArbitrary, async (request) => {
      const [one, other] = await Promise.all([sendRequest(real.httpPort, { ...request, host }), sendRequest(port, { ...request, host })]);
      assert.equal(comparable(other), comparable(one));
    }),
    { numRuns: 300 },
  );
});
