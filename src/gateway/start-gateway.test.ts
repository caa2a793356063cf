import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import test, { after } from 'node:test';
import type { SnapshotItem } from '../schema/index.ts';
import { guideItems, routeItem, serviceItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { keyDigestOf, startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';

const worker = { httpDescriptors: [], httpsDescriptors: [] };
const gateway = await startTestGateway({ after }, { workers: [worker, worker] });

test('the guide: 401 without a key, 200 with it, and the upstream learns who called', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();

  const missing = await sendRequest(gateway.httpPort, { target: '/anything/key-auth' });
  assert.equal(missing.status, 401);
  assert.equal(missing.body, '{"message":"Missing API key in request"}\n');
  assert.match(missing.head, /^WWW-Authenticate: apikey realm="key"\r\n/m);
  assert.match(missing.head, /^Content-Type: text\/plain; charset=utf-8\r\n/m);
  assert.match(missing.head, /^Portcullis-Request-Id: [0-9a-f]{32}\r\n/m);
  assert.match(missing.head, /^Server: Portcullis\r\n/m);

  const wrong = await sendRequest(gateway.httpPort, { target: '/anything/key-auth', headers: ['apikey: wrong'] });
  assert.equal(wrong.status, 401);
  assert.equal(wrong.body, '{"message":"Invalid API key in request"}\n');

  const right = await sendRequest(gateway.httpPort, { target: '/anything/key-auth?x=1', headers: ['apikey: secret-api-key'] });
  assert.equal(right.status, 200);
  assert.match(right.head, /^Portcullis-Request-Id: [0-9a-f]{32}\r\n/m);
  assert.equal(upstream.requests.length, 1);
  const [received] = upstream.requests;
  assert.equal(received?.target, '/anything/key-auth?x=1');
  assert.equal(received?.headers['x-consumer-username'], 'jack');
  assert.equal(received?.headers['x-credential-identifier'], 'cred');
  assert.equal(received?.headers['x-consumer-custom-id'], 'c-7');
  assert.equal(received?.headers.apikey, 'secret-api-key');
  assert.equal(received?.headers.host, 'test');
});

test('no header of a client passes for an identity, in no spelling, on no route', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load([...guideItems(upstream.port), routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  const spoofed = [
    'X-Consumer-Username: admin',
    'x_consumer_username: admin',
    'X-Consumer_Username: admin',
    'X-CONSUMER-GROUP-ID: admins',
    'X-Credential-Identifier: root',
    'X_Credential_Identifier: root',
    'X-Real-IP: 6.6.6.6',
    'Forwarded: for=6.6.6.6',
    'X-Forwarded-Proto: https',
    'X_Forwarded_For: 6.6.6.6',
    'Cookie: a=1; __Host-portcullis=session; b=2',
  ];
  await sendRequest(gateway.httpPort, { target: '/open', headers: spoofed });
  await sendRequest(gateway.httpPort, {
    target: '/anything/x',
    headers: [...spoofed, 'apikey: secret-api-key', 'Connection: X-Consumer-Username'],
  });
  const [open, authenticated] = upstream.requests;
  const identity = /consumer|credential|real.ip|forwarded/i;
  assert.deepEqual(
    open?.headerNames.filter((name) => identity.test(name)),
    ['X-Real-IP', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'],
  );
  assert.equal(open?.headers['x-real-ip'], '127.0.0.1');
  assert.equal(open?.headers['x-forwarded-proto'], 'http');
  assert.equal(open?.headers.cookie, 'a=1; b=2');
  assert.equal(authenticated?.headers['x-consumer-username'], 'jack');
  assert.equal(authenticated?.headerNames.filter((name) => /consumer.username/i.test(name)).length, 1);
});

test('a client address is appended to X-Forwarded-For, and host and port are those of the Host header', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load([serviceItem(upstream.port), routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  await sendRequest(gateway.httpPort, {
    target: '/open',
    host: 'api.test:8443',
    headers: ['X-Forwarded-For: 1.1.1.1', 'x-forwarded-for: 2.2.2.2'],
  });
  await sendRequest(gateway.httpPort, { target: '/open' });
  const [first, second] = upstream.requests;
  assert.equal(first?.headers['x-forwarded-for'], '1.1.1.1, 2.2.2.2, 127.0.0.1');
  assert.equal(first?.headers['x-forwarded-host'], 'api.test:8443');
  assert.equal(first?.headers['x-forwarded-port'], '8443');
  assert.equal(second?.headers['x-forwarded-for'], '127.0.0.1');
  assert.equal(second?.headers['x-forwarded-port'], String(gateway.httpPort));
});

test('what a trusted address says goes on, and where Connection names it the gateway says it', async (context) => {
  const upstream = await startTestUpstream(context);
  const trusting = await startTestGateway(context, { trustedAddresses: ['127.0.0.1'] });
  await trusting.load([serviceItem(upstream.port), routeItem('open', { paths: ['/open'] })]);
  await trusting.agent.whenReady();
  const said = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: said.test', 'X-Forwarded-Port: 443'];
  const named = 'Connection: X-Forwarded-Proto, X-Forwarded-Host, x-forwarded-port, X-Forwarded-For, X-Real-IP';
  await sendRequest(trusting.httpPort, { target: '/open', headers: said });
  await sendRequest(trusting.httpPort, { target: '/open', headers: [...said, named] });
  assert.deepEqual(
    upstream.requests.map(({ headers }) => ['proto', 'host', 'port', 'for'].map((what) => headers[`x-forwarded-${what}`])),
    [
      ['https', 'said.test', '443', '127.0.0.1'],
      ['http', 'test', String(trusting.httpPort), '127.0.0.1'],
    ],
  );
});

test('hide_credentials keeps the key from the upstream, in a header and in the query', async (context) => {
  const upstream = await startTestUpstream(context);
  const hiding = routeItem('hiding', { paths: ['/hiding'], plugins: { 'key-auth': { hide_credentials: true } } });
  await gateway.load([...guideItems(upstream.port), hiding]);
  await gateway.agent.whenReady();
  await sendRequest(gateway.httpPort, { target: '/hiding?b=1%202&a=', headers: ['apikey: secret-api-key'] });
  await sendRequest(gateway.httpPort, { target: '/hiding?b=1%202&apikey=secret-api-key&a=' });
  await sendRequest(gateway.httpPort, { target: '/hiding?apikey=secret-api-key' });
  assert.deepEqual(
    upstream.requests.map((request) => [request.target, request.headers.apikey]),
    [
      ['/hiding?b=1%202&a=', undefined],
      ['/hiding?b=1%202&a=', undefined],
      ['/hiding', undefined],
    ],
  );
});

test('requests go to the nodes in turn, and round a node that is down', async (context) => {
  const first = await startTestUpstream(context, 'first');
  const second = await startTestUpstream(context, 'second');
  // Each worker takes its own turns, and the kernel shares connections out among them as it likes.
  const single = await startTestGateway(context, { workers: [worker] });
  const node = (port: number) => ({ host: '127.0.0.1', port, weight: 1 });
  await single.load([
    serviceItem(0, { upstream: { nodes: [node(first.port), node(second.port)] } }),
    routeItem('open', { paths: ['/open'] }),
  ]);
  await single.agent.whenReady();
  for (let count = 0; count < 6; count++) await sendRequest(single.httpPort, { target: '/open' });
  assert.deepEqual([first.requests.length, second.requests.length], [3, 3]);

  await single.change({ op: 'put', item: serviceItem(0, { upstream: { nodes: [node(first.port), node(1)] } }) });
  for (let count = 0; count < 4; count++) assert.equal((await sendRequest(single.httpPort, { target: '/open' })).body, 'first');
  await single.change({ op: 'put', item: serviceItem(0, { upstream: { nodes: [node(1)] } }) });
  assert.equal((await sendRequest(single.httpPort, { target: '/open' })).status, 502);
  await single.change({ op: 'put', item: serviceItem(0, { upstream: { nodes: [] } }) });
  assert.equal((await sendRequest(single.httpPort, { target: '/open' })).status, 503);
});

test('a change is in force on every worker when it is acknowledged', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  const statuses = async (headers: readonly string[]): Promise<ReadonlySet<number>> => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => sendRequest(gateway.httpPort, { target: '/anything/x', headers })));
    return new Set(answers.map((answer) => answer.status));
  };
  const key = ['apikey: secret-api-key'];
  assert.deepEqual(await statuses(key), new Set([200]));
  await gateway.change({ op: 'delete', name: { kind: 'credential', parentId: 'jack', id: 'cred' } });
  assert.deepEqual(await statuses(key), new Set([401]));
  await gateway.change({ op: 'put', item: routeItem('route', { paths: ['/anything/*'], plugins: {} }) });
  assert.deepEqual(await statuses([]), new Set([200]));
  await gateway.change({ op: 'put', item: serviceItem(upstream.port, { status: 0 }) });
  assert.deepEqual(await statuses([]), new Set([404]));
  await gateway.change({ op: 'put', item: serviceItem(upstream.port, { plugins: { 'key-auth': {} } }) });
  assert.deepEqual(await statuses([]), new Set([401]));
});

test('a change that no worker can serve is refused whole, and everything stays as it was', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load(guideItems(upstream.port));
  await gateway.agent.whenReady();
  const unknown = routeItem('unknown', { paths: ['/unknown'], plugins: { 'from-the-future': {} } });
  const other: SnapshotItem = { kind: 'credential', id: 'other', consumer: 'jack', value: {}, keys: [keyDigestOf('other-key')] };
  await assert.rejects(
    gateway.change({ op: 'put', item: routeItem('open', { paths: ['/open'] }) }, { op: 'put', item: unknown }, { op: 'put', item: other }),
    /route unknown: plugin from-the-future is unknown to this version/,
  );
  assert.equal((await sendRequest(gateway.httpPort, { target: '/open' })).status, 404);
  assert.equal((await sendRequest(gateway.httpPort, { target: '/anything/x', headers: ['apikey: other-key'] })).status, 401);
  assert.equal((await sendRequest(gateway.httpPort, { target: '/anything/x', headers: ['apikey: secret-api-key'] })).status, 200);
});

test('a snapshot replaces everything: what it does not hold is gone', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load([...guideItems(upstream.port), routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  const [, consumer, route, service] = guideItems(upstream.port);
  assert.ok(consumer !== undefined && route !== undefined && service !== undefined);
  await gateway.load([consumer, route, service]);
  assert.equal((await sendRequest(gateway.httpPort, { target: '/open' })).status, 404);
  assert.equal((await sendRequest(gateway.httpPort, { target: '/anything/x', headers: ['apikey: secret-api-key'] })).status, 401);
});

test('a route whose service comes later is served from then on', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load([routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  const missing = await sendRequest(gateway.httpPort, { target: '/open' });
  assert.equal(missing.status, 404);
  assert.equal(missing.body, '{"error_msg":"404 Route Not Found"}\n');
  assert.match(missing.head, /^Content-Type: text\/plain; charset=utf-8\r\n/m);
  await gateway.change({ op: 'put', item: serviceItem(upstream.port) });
  assert.equal((await sendRequest(gateway.httpPort, { target: '/open' })).status, 200);
  await gateway.change({ op: 'delete', name: { kind: 'service', parentId: '', id: 'service' } });
  assert.equal((await sendRequest(gateway.httpPort, { target: '/open' })).status, 404);
});

test('a host written absolutely means the same name, in the configuration and in requests', async (context) => {
  const upstream = await startTestUpstream(context);
  await gateway.load([serviceItem(upstream.port, { hosts: ['dotted.test.', '*.wild.test.'] }), routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  for (const host of ['dotted.test', 'dotted.test.', 'DOTTED.test.:80', 'a.wild.test']) {
    assert.equal((await sendRequest(gateway.httpPort, { target: '/open', host })).status, 200, host);
  }
  for (const host of ['dotted.test..', 'test', 'wild.test']) {
    assert.equal((await sendRequest(gateway.httpPort, { target: '/open', host })).status, 404, host);
  }
});

test('an upstream cannot give a request another name', async (context) => {
  const forger = createServer((_request, response) => response.setHeader('portcullis-request-id', 'forged').end());
  forger.listen(0, '127.0.0.1');
  await once(forger, 'listening');
  context.after(() => {
    forger.closeAllConnections();
    forger.close();
  });
  const address = forger.address();
  assert.ok(address !== null && typeof address === 'object');
  await gateway.load([serviceItem(address.port), routeItem('open', { paths: ['/open'] })]);
  await gateway.agent.whenReady();
  const answer = await sendRequest(gateway.httpPort, { target: '/open' });
  assert.deepEqual(answer.head.match(/^Portcullis-Request-Id: [0-9a-f]{32}\r$/gim)?.length, 1);
  assert.doesNotMatch(answer.head, /forged/);
});
