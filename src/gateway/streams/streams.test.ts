import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  askByUdp,
  closedPort,
  closedUdpPort,
  openStream,
  startTcpEcho,
  startUdpEcho,
  streamRouteItem,
  streamServiceItem,
} from '../../../test-support/stream-peers.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import { sendRequest } from '../testing/send-request.ts';
import { startTestGateway, type TestGateway } from '../testing/test-gateway.ts';
import { connectSecurely, handshakeError } from '../testing/tls-request.ts';

const TCP = { protocol: 'tcp', host: '127.0.0.1', port: 0 } as const;
const UDP = { protocol: 'udp', host: '127.0.0.1', port: 0 } as const;
const ROUNDS = 60;

async function ask(t: TestContext, port: number, text = 'hi'): Promise<string> {
  const stream = await openStream(t, port);
  stream.send(text);
  const answer = (await stream.takeThrough(text)).slice(0, -text.length - 1);
  stream.socket.end();
  await stream.takeRest();
  return answer;
}

async function refused(t: TestContext, port: number): Promise<void> {
  const stream = await openStream(t, port);
  assert.equal(await stream.takeRest(), '');
}

async function linesOf(file: string, gateway: TestGateway): Promise<readonly Record<string, unknown>[]> {
  await gateway.agent.drain({ delayMs: 0, timeoutMs: 0 });
  const text = await readFile(file, 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('TCP and UDP go to the service of the route that their listener has', async (t) => {
  const [tcp, udp] = [await startTcpEcho(t, 'tcp'), await startUdpEcho(t, 'udp')];
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, TCP, UDP] });
  await gateway.load([]);
  await gateway.agent.whenReady();
  const [first = 0, second = 0, datagrams = 0] = gateway.streamPorts;
  await gateway.change(
    { op: 'put', item: streamServiceItem('a', [tcp.port]) },
    { op: 'put', item: streamServiceItem('b', [udp.port], {}, { scheme: 'udp' }) },
    { op: 'put', item: streamRouteItem('one', 'a', { server_port: first }) },
    { op: 'put', item: streamRouteItem('two', 'b', { server_port: datagrams }) },
  );
  assert.equal(await ask(t, first), 'tcp');
  assert.equal(await askByUdp(t, datagrams, 'hi'), 'udp:hi');
  await refused(t, second);
  await gateway.change({ op: 'put', item: streamRouteItem('one', 'a') });
  assert.equal(await ask(t, second), 'tcp');
  await gateway.change({ op: 'delete', name: { kind: 'stream_route', parentId: '', id: 'one' } });
  await refused(t, first);
});

test('each connection has one line in the access log, with the reason where it was refused', async (t) => {
  const accessLogFile = path.join(await temporaryFolder(t), 'access.log');
  const echo = await startTcpEcho(t, 'echo');
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, TCP], accessLogFile });
  await gateway.load([streamServiceItem('a', [echo.port])]);
  await gateway.agent.whenReady();
  const [first = 0, second = 0] = gateway.streamPorts;
  const blacklist = { 'ip-restriction': { blacklist: ['127.0.0.0/8'] } };
  await gateway.change(
    { op: 'put', item: streamRouteItem('open', 'a', { server_port: first }) },
    { op: 'put', item: streamRouteItem('closed', 'a', { server_port: second, plugins: blacklist }) },
  );
  await ask(t, first, 'hello');
  await refused(t, second);
  await gateway.change({ op: 'delete', name: { kind: 'stream_route', parentId: '', id: 'closed' } });
  await refused(t, second);
  const lines = await linesOf(accessLogFile, gateway);
  assert.deepEqual(
    lines.map((line) => [line.protocol, line.client, line.server_port, line.stream_route, line.service, line.attempts, line.reason]),
    [
      ['tcp', '127.0.0.1', first, 'open', 'a', 1, undefined],
      ['tcp', '127.0.0.1', second, 'closed', 'a', 0, 'address_forbidden'],
      ['tcp', '127.0.0.1', second, undefined, undefined, 0, 'stream_route_not_found'],
    ],
  );
  const [line] = lines;
  assert.deepEqual([line?.bytes_in, line?.bytes_out, line?.node], [5, 10, `127.0.0.1:${echo.port}`]);
  assert.match(String(line?.request_id), /^[0-9a-f]{32}$/);
});

test('limit-conn counts the connections that are open', async (t) => {
  const echo = await startTcpEcho(t, 'echo');
  const gateway = await startTestGateway(t, { streamAddresses: [TCP] });
  const plugins = { 'limit-conn': { conn: 1, burst: 0, default_conn_delay: 0.1, key: 'remote_addr' } };
  await gateway.load([streamServiceItem('a', [echo.port]), streamRouteItem('r', 'a', { plugins })]);
  await gateway.agent.whenReady();
  const [port = 0] = gateway.streamPorts;
  const held = await openStream(t, port);
  held.send('x');
  await held.takeThrough('echo:x');
  await refused(t, port);
  held.socket.end();
  await held.takeRest();
  assert.equal(await ask(t, port), 'echo');
});

test('traffic-split sends connections to other upstreams of the service', async (t) => {
  const [one, two] = [await startTcpEcho(t, 'one'), await startTcpEcho(t, 'two')];
  const gateway = await startTestGateway(t, { streamAddresses: [TCP] });
  const nodes = [{ host: '127.0.0.1', port: two.port, weight: 1 }];
  const plugins = { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream_id: 'other', weight: 1 }, { weight: 1 }] }] } };
  await gateway.load([
    streamServiceItem('a', [one.port]),
    { kind: 'upstream', id: 'other', service: 'a', value: { name: 'other', scheme: 'tcp', nodes } },
    streamRouteItem('r', 'a', { plugins }),
  ]);
  await gateway.agent.whenReady();
  const [port = 0] = gateway.streamPorts;
  const answers = [await ask(t, port), await ask(t, port), await ask(t, port), await ask(t, port)];
  assert.deepEqual([...answers].sort(), ['one', 'one', 'two', 'two']);
});

test('a plugin that does not run on streams keeps its route from being served', async (t) => {
  const echo = await startTcpEcho(t, 'echo');
  const gateway = await startTestGateway(t, { streamAddresses: [TCP] });
  const plugins = { 'uri-blocker': { block_rules: ['x'] } };
  await gateway.load([streamServiceItem('a', [echo.port]), streamRouteItem('r', 'a', { plugins })]);
  await gateway.agent.whenReady();
  await refused(t, gateway.streamPorts[0] ?? 0);
  await gateway.change({ op: 'put', item: streamRouteItem('r', 'a', { plugins: { 'uri-blocker': { _meta: { disable: true } } } }) });
  assert.equal(await ask(t, gateway.streamPorts[0] ?? 0), 'echo');
});

test('connections go on when their route is changed or removed', async (t) => {
  const [one, two] = [await startTcpEcho(t, 'one'), await startTcpEcho(t, 'two')];
  const gateway = await startTestGateway(t, { streamAddresses: [TCP] });
  await gateway.load([streamServiceItem('a', [one.port]), streamRouteItem('r', 'a')]);
  await gateway.agent.whenReady();
  const [port = 0] = gateway.streamPorts;
  const old = await openStream(t, port);
  old.send('x');
  await old.takeThrough('one:x');
  await gateway.change({ op: 'put', item: streamServiceItem('a', [two.port]) });
  assert.equal(await ask(t, port), 'two');
  await gateway.change({ op: 'delete', name: { kind: 'stream_route', parentId: '', id: 'r' } });
  old.send('y');
  await old.takeThrough('one:y');
});

test('no connection fails while routes, nodes and plugins change many times', async (t) => {
  const echoes = [await startTcpEcho(t, 'echo'), await startTcpEcho(t, 'echo')];
  const udp = await startUdpEcho(t, 'udp');
  const workers = [
    { httpDescriptors: [], httpsDescriptors: [] },
    { httpDescriptors: [], httpsDescriptors: [] },
  ];
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, UDP], workers });
  // A port on which nobody listens is among the nodes now and then.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const closed = typeof address === 'object' && address !== null ? address.port : 0;
  server.close();
  await gateway.load([
    streamServiceItem('a', [echoes[0]?.port ?? 0]),
    streamRouteItem('r', 'a'),
    streamServiceItem('u', [udp.port], {}, { scheme: 'udp' }),
    streamRouteItem('d', 'u'),
  ]);
  await gateway.agent.whenReady();
  const [port = 0, datagrams = 0] = gateway.streamPorts;
  const long = await openStream(t, port);
  let over = false;
  let asked = 0;
  const client = async (): Promise<void> => {
    while (!over) {
      assert.equal(await ask(t, port), 'echo');
      assert.equal(await askByUdp(t, datagrams, 'q'), 'udp:q');
      asked++;
    }
  };
  const clients = Promise.all([client(), client(), client()]);
  for (let round = 0; round < ROUNDS; round++) {
    const ports = [echoes[round % 2]?.port ?? 0, ...(round % 3 === 0 ? [closed] : [])];
    await gateway.change(
      { op: 'put', item: streamServiceItem('a', ports, {}, round % 2 === 0 ? { retries: 3 } : {}) },
      { op: 'put', item: streamRouteItem('r', 'a', round % 2 === 0 ? { server_port: port } : { remote_addr: '127.0.0.0/8' }) },
      { op: 'put', item: streamRouteItem(`extra-${round}`, 'a', { server_port: 1 }) },
    );
    await gateway.change({ op: 'delete', name: { kind: 'stream_route', parentId: '', id: `extra-${round}` } });
    long.send('z');
    await long.takeThrough('echo:z');
  }
  over = true;
  await clients;
  assert.ok(asked > 0);
});

test('a worker that dies is replaced on all its stream listeners', async (t) => {
  const [tcp, udp] = [await startTcpEcho(t, 'tcp'), await startUdpEcho(t, 'udp')];
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, UDP], testHooks: true });
  await gateway.load([
    streamServiceItem('a', [tcp.port]),
    streamServiceItem('b', [udp.port], {}, { scheme: 'udp' }),
    streamRouteItem('one', 'a'),
    streamRouteItem('two', 'b'),
  ]);
  await gateway.agent.whenReady();
  const [port = 0, datagrams = 0] = gateway.streamPorts;
  const cut = await openStream(t, port);
  cut.send('x');
  await cut.takeThrough('tcp:x');
  const response = await fetch(`http://127.0.0.1:${gateway.statusPort}/test/worker/0/exit`, { method: 'POST' }).catch(() => undefined);
  assert.equal(response?.status, 202);
  await cut.takeRest();
  while (!gateway.log.lines.some(({ message }) => message.startsWith('a worker thread ended'))) await new Promise(setImmediate);
  await gateway.agent.whenReady();
  assert.deepEqual(gateway.streamPorts, [port, datagrams]);
  assert.equal(await ask(t, port), 'tcp');
  assert.equal(await askByUdp(t, datagrams, 'hi'), 'udp:hi');
});

test('TLS ends at the gateway, and the name in it chooses the route', async (t) => {
  const authority = await TestAuthority.create();
  const [one, two] = [await startTcpEcho(t, 'one'), await startTcpEcho(t, 'two')];
  const gateway = await startTestGateway(t, { streamAddresses: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }] });
  const pair = await authority.issue({ names: ['a.example', 'b.example', '*.c.example', 'm.example'] });
  const client = { ca: authority.cert, depth: 1, skip_mtls_uri_regex: ['.*'] };
  await gateway.load([
    streamServiceItem('one', [one.port]),
    streamServiceItem('two', [two.port]),
    streamRouteItem('any', 'one'),
    streamRouteItem('b', 'two', { sni: 'b.example' }),
    streamRouteItem('c', 'two', { sni: '*.c.example' }),
    { kind: 'ssl', id: 'all', value: { snis: ['a.example', 'b.example', '*.c.example'], ...pair } },
    { kind: 'ssl', id: 'mutual', value: { snis: ['m.example'], ...pair, client } },
  ]);
  await gateway.agent.whenReady();
  const [port = 0] = gateway.streamPorts;
  const answerFor = async (servername: string): Promise<string> => {
    const socket = await connectSecurely(t, port, { servername, ALPNProtocols: ['postgresql'] });
    socket.write('hi');
    const [answer] = await once(socket, 'data');
    return String(answer);
  };
  assert.deepEqual(
    [await answerFor('a.example'), await answerFor('b.example'), await answerFor('x.c.example')],
    ['one:hi', 'two:hi', 'two:hi'],
  );
  assert.equal(await handshakeError(port, { servername: 'unknown.example' }), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  const bare = await connectSecurely(t, port, { servername: 'm.example' });
  bare.write('hi');
  assert.equal(await once(bare, 'data').catch(({ code }) => code), 'ECONNRESET');
  const known = await connectSecurely(t, port, { servername: 'm.example', ...(await authority.issue({ names: ['client'] })) });
  known.write('hi');
  assert.equal(String((await once(known, 'data'))[0]), 'one:hi');
});

test('a connect that succeeds, and a first answer by UDP, end a row of failures', async (t) => {
  const gateway = await startTestGateway(t, { streamAddresses: [TCP, UDP] });
  const ends: Record<'tcp' | 'udp', number> = { tcp: await closedPort(t), udp: await closedUdpPort() };
  // Active checks that change nothing.
  const active = { type: 'tcp', unhealthy: { tcp_failures: 0, timeouts: 0 }, healthy: { successes: 0 } };
  const checks = { active, passive: { type: 'tcp', unhealthy: { tcp_failures: 2 }, healthy: { successes: 5 } } };
  await gateway.load([
    streamServiceItem('tcp', [ends.tcp], {}, { checks }),
    streamServiceItem('udp', [ends.udp], {}, { checks, scheme: 'udp' }),
    streamRouteItem('t', 'tcp'),
    streamRouteItem('u', 'udp'),
  ]);
  await gateway.agent.whenReady();
  const [port = 0, datagrams = 0] = gateway.streamPorts;
  const untilCounted = async (id: 'tcp' | 'udp', expected: string): Promise<void> => {
    for (;;) {
      const { body } = await sendRequest(gateway.statusPort, { target: '/v1/healthcheck' });
      const listed = JSON.parse(body) as { name: string; nodes: { status: string; counter: Record<string, number> }[] }[];
      const node = listed.find(({ name }) => name === `/apisix/services/${id}`)?.nodes[0];
      if (`${node?.status} ${node?.counter.success} ${node?.counter.tcp_failure}` === expected) return;
    }
  };
  const client = dgram.createSocket('udp4');
  t.after(() => client.close());
  await refused(t, port);
  client.send('x', datagrams, '127.0.0.1');
  await untilCounted('tcp', 'mostly_healthy 0 1');
  await untilCounted('udp', 'mostly_healthy 0 1');
  await startTcpEcho(t, 'tcp', ends.tcp);
  await startUdpEcho(t, 'udp', ends.udp);
  assert.equal(await ask(t, port), 'tcp');
  assert.equal(await askByUdp(t, datagrams, 'hi'), 'udp:hi');
  await untilCounted('tcp', 'mostly_healthy 1 0');
  await untilCounted('udp', 'mostly_healthy 1 0');
});
