import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { guideItems, routeItem, serviceItem } from '../testing/guide-items.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway } from '../testing/test-gateway.ts';
import { startTestUpstream } from '../testing/test-upstream.ts';

test('a gateway answers its status at once, is ready with the first configuration, and logs each request without its query', async (context) => {
  const accessLogFile = path.join(await temporaryFolder(context), 'access.log');
  const upstream = await startTestUpstream(context);
  const gateway = await startTestGateway(context, { accessLogFile });
  assert.equal((await sendRequest(gateway.statusPort, { target: '/status' })).status, 200);
  const early = await sendRequest(gateway.statusPort, { target: '/status/ready' });
  assert.equal(early.status, 503);
  assert.equal(JSON.parse(early.body).error, 'no configuration is in force');
  assert.deepEqual(gateway.agent.ports.http, []);

  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  assert.equal((await sendRequest(gateway.statusPort, { target: '/status/ready' })).status, 200);
  await sendRequest(gateway.httpPort, { target: '/anything/x?apikey=secret-api-key' });
  await sendRequest(gateway.httpPort, { target: '/none' });
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 1000 });

  const text = await readFile(accessLogFile, 'utf8');
  assert.doesNotMatch(text, /secret/);
  const [first, second] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.partialDeepStrictEqual(first, {
    revision: 1,
    client: '127.0.0.1',
    method: 'GET',
    path: '/anything/x',
    status: 200,
    route: 'route',
    service: 'service',
    consumer: 'jack',
    credential: 'cred',
    node: `127.0.0.1:${upstream.port}`,
    upstream_status: 200,
    attempts: 1,
  });
  assert.partialDeepStrictEqual(second, { path: '/none', status: 404, reason: 'route_not_found', source: 'client', attempts: 0 });
});

test('a drain lets a running request end, closes idle connections and takes no new ones', async (context) => {
  let answer = (): void => {};
  const upstream = createServer((_request, response) => {
    answer = () => response.end('slow');
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  context.after(() => upstream.close());
  const address = upstream.address();
  assert.ok(address !== null && typeof address === 'object');
  const gateway = await startTestGateway(context);
  await gateway.load([serviceItem(address.port), routeItem('slow', { paths: ['/slow'] })]);
  await gateway.agent.whenReady();
  const idle = connect({ host: '127.0.0.1', port: gateway.httpPort });
  idle.write('GET /none HTTP/1.1\r\nHost: test\r\n\r\n');
  await once(idle, 'data');
  const running = sendRequest(gateway.httpPort, { target: '/slow' });
  await once(upstream, 'request');
  const drained = gateway.agent.drain({ delayMs: 0, timeoutMs: 4000 });
  idle.resume();
  await once(idle, 'end');
  idle.destroy();
  const ready = await sendRequest(gateway.statusPort, { target: '/status/ready' });
  assert.equal(JSON.parse(ready.body).error, 'the gateway is draining');
  await assert.rejects(sendRequest(gateway.httpPort, { target: '/slow' }));
  answer();
  assert.equal((await running).body.includes('slow'), true);
  await drained;
});

test('a port in use is told in one sentence', async (context) => {
  const occupant = createServer();
  occupant.listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  context.after(() => occupant.close());
  const address = occupant.address();
  assert.ok(address !== null && typeof address === 'object');
  const taken = { host: '127.0.0.1', port: address.port };
  await assert.rejects(startTestGateway(context, { statusListeners: [{ kind: 'address', ...taken }] }), {
    name: 'StartError',
    message: `The status address 127.0.0.1:${address.port} cannot be listened on (EADDRINUSE).`,
  });
  const gateway = await startTestGateway(context, { httpAddresses: [taken] });
  await gateway.load([]);
  await assert.rejects(gateway.agent.whenReady(), {
    name: 'StartError',
    message: `The gateway cannot listen on 127.0.0.1:${address.port}: already in use.`,
  });
});
