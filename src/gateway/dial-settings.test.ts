import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayOptions } from './gateway-options.ts';
import { guideItems } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream, type TestEnd } from './testing/test-upstream.ts';

/** The status of a request to an upstream on 127.0.0.1, under these settings. */
async function statusUnder(t: TestEnd, options: (port: number) => Partial<GatewayOptions>): Promise<number> {
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t, options(upstream.port));
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  return (await sendRequest(gateway.httpPort, { target: '/anything/x', headers: ['apikey: secret-api-key'] })).status;
}

test('an address that the instance denies is not connected to, whatever it allows', async (t) => {
  assert.equal(await statusUnder(t, () => ({ dial: { allow: [], deny: ['10.0.0.0/8'] } })), 200);
  assert.equal(await statusUnder(t, () => ({ dial: { allow: ['127.0.0.0/8'], deny: ['127.0.0.1'] } })), 503);
});

test('what is allowed opens none of the product’s own sockets', async (t) => {
  const dial = { allow: ['0.0.0.0/0', '::/0'], deny: [] };
  assert.equal(await statusUnder(t, (port) => ({ dial, protectedPorts: [port] })), 503);
  assert.equal(await statusUnder(t, () => ({ dial })), 200);
});
