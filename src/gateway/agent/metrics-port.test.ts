import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';
import { sampleValue } from '../../../test-support/parse-exposition.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';

const TARGET = '/apisix/prometheus/metrics';

test('the metrics port answers before there is a configuration, and then tells its revision and what the workers have counted', async (context) => {
  const gateway = await startTestGateway(context);
  const before = await sendRequest(gateway.metricsPort, { target: TARGET });
  assert.equal(before.status, 200);
  assert.equal(sampleValue(before.body, 'apisix_etcd_reachable'), 1);
  assert.equal(sampleValue(before.body, 'portcullis_configuration_revision'), undefined);
  await gateway.load([]);
  await gateway.agent.whenReady();
  await Promise.all([sendRequest(gateway.httpPort), sendRequest(gateway.httpPort)]);
  const value = async (name: string): Promise<number | undefined> =>
    sampleValue((await sendRequest(gateway.metricsPort, { target: TARGET })).body, name);
  // A text is up to a second old.
  while ((await value('apisix_http_requests_total')) !== 2);
  assert.equal(await value('portcullis_configuration_revision'), 1);
  assert.equal((await sendRequest(gateway.metricsPort, { target: '/' })).status, 404);
});

test('the metrics port is gone when the gateway has drained', async (context) => {
  const gateway = await startTestGateway(context);
  const { metricsPort } = gateway;
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 0 });
  await assert.rejects(sendRequest(metricsPort, { target: TARGET }));
});

test('a metrics address that is in use stops the start, and the status port is given back', async (context) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const taken = { kind: 'address', host: '127.0.0.1', port: address.port } as const;
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const status = free.address();
  assert.ok(typeof status === 'object' && status !== null);
  await new Promise((resolve) => free.close(resolve));
  const options = { statusListeners: [{ kind: 'address', host: '127.0.0.1', port: status.port }], metricsListeners: [taken] } as const;
  await assert.rejects(startTestGateway(context, options), {
    message: `The metrics address 127.0.0.1:${address.port} cannot be listened on (EADDRINUSE).`,
  });
  await assert.rejects(sendRequest(status.port, { target: '/status' }), { code: 'ECONNREFUSED' });
});
