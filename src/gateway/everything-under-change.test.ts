import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type ClientOptions, WebSocket } from 'ws';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { SnapshotChange } from '../schema/index.ts';
import { guideItems, routeItem, serviceItem } from './testing/guide-items.ts';
import { keyDigestOf, startTestGateway } from './testing/test-gateway.ts';
import { startWebSocketUpstream } from './testing/web-socket-upstream.ts';

const HOST = 'a.example';
const CHANGES = 60;

interface Node {
  readonly port: number;
  /** What it answers to health checks. */
  probeStatus: number;
  stop(): Promise<void>;
}

/** A node that answers everything with 200, and its checks as the test says. */
async function startNode(t: TestContext): Promise<Node> {
  const server = createServer((message, response) => {
    response.statusCode = message.url === '/up' ? node.probeStatus : 200;
    response.end('here');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  const node: Node = { port, probeStatus: 200, stop };
  t.after(stop);
  return node;
}

/** One request over HTTP/2; its status. */
async function overHttp2(session: ClientHttp2Session): Promise<number> {
  const stream = session.request({ ':path': '/anything/x', ':authority': HOST, apikey: 'secret-api-key' });
  const [headers] = await once(stream, 'response');
  stream.resume();
  await once(stream, 'end');
  return Number(headers[':status']);
}

test('no request fails while certificates, routes, nodes, health and keys change twenty times a second, on any protocol, and no WebSocket ends', async (t) => {
  const authority = await TestAuthority.create();
  const certificates = await Promise.all(Array.from({ length: 4 }, () => authority.issue({ names: [HOST] })));
  const nodes = [await startNode(t), await startNode(t), await startNode(t)] as const;
  const gone = await startNode(t);
  await gone.stop();
  const gateway = await startTestGateway(t, {
    workers: [
      { httpDescriptors: [], httpsDescriptors: [] },
      { httpDescriptors: [], httpsDescriptors: [] },
    ],
  });
  const ssl = (turn: number): SnapshotChange => {
    const { cert, key } = certificates[turn % certificates.length] ?? assert.fail();
    return { op: 'put', item: { kind: 'ssl', id: 'a', value: { snis: [HOST], cert, key } } };
  };
  const checks = {
    active: { http_path: '/up', healthy: { interval: 1, successes: 1 }, unhealthy: { interval: 1, http_failures: 1 } },
    passive: { unhealthy: { tcp_failures: 1 }, healthy: { successes: 1 } },
  };
  const listed = (turn: number) =>
    [...nodes.filter((_, index) => index !== turn % 3), gone].map(({ port }, index) => ({
      host: '127.0.0.1',
      port,
      weight: 1 + ((turn + index) % 3),
    }));
  const service = (turn: number): SnapshotChange => {
    const upstream = { type: turn % 2 === 0 ? 'roundrobin' : 'least_conn', scheme: 'http', nodes: listed(turn), retries: 4, checks };
    return { op: 'put', item: serviceItem(gone.port, { upstream }) };
  };
  const echo = await startWebSocketUpstream(t);
  const sockets = (turn: number): readonly SnapshotChange[] => {
    const node = (port: number, weight: number) => ({ host: '127.0.0.1', port, weight });
    const upstream = { nodes: [node(echo.port, 1 + (turn % 3)), ...(turn % 2 === 0 ? [] : [node(gone.port, 1)])] };
    const route = { paths: ['/ws'], service_id: 'sockets', priority: turn, enable_websocket: true, plugins: { 'key-auth': {} } };
    return [
      { op: 'put', item: { kind: 'service', id: 'sockets', value: { name: 'sockets', upstream } } },
      { op: 'put', item: routeItem('sockets', route) },
      { op: 'put', item: { kind: 'consumer', id: 'jack', value: { username: 'jack', labels: { turn: `${turn}` } }, keys: [] } },
    ];
  };
  await gateway.load(guideItems(nodes[0].port));
  await gateway.change(ssl(0), service(0), ...sockets(0));

  let isOver = false;
  const counts = { http: 0, https: 0, http2: 0, socket: 0 };
  const failures: string[] = [];
  const record = (protocol: keyof typeof counts, status: number | string): void => {
    counts[protocol]++;
    if (status !== 200) failures.push(`${protocol}: ${status}`);
  };
  const dispatcher = new Agent({ connect: { ca: authority.cert, servername: HOST }, connections: 4 });
  t.after(() => dispatcher.destroy());
  const headers = { apikey: 'secret-api-key', host: HOST };
  const over = async (protocol: 'http' | 'https'): Promise<void> => {
    while (!isOver) {
      const port = protocol === 'http' ? gateway.httpPort : gateway.httpsPort;
      const answer = await request(`${protocol}://127.0.0.1:${port}/anything/x`, { dispatcher, headers });
      await answer.body.dump();
      record(protocol, answer.statusCode);
    }
  };
  const manyOverHttp2 = async (): Promise<void> => {
    while (!isOver) {
      const session = connectHttp2(`https://127.0.0.1:${gateway.httpsPort}`, { ca: authority.cert, servername: HOST });
      for (let turn = 0; turn < 20 && !isOver; turn++) record('http2', await overHttp2(session));
      session.close();
    }
  };
  /** One WebSocket for the whole time. */
  const overSocket = async (url: string, options: ClientOptions): Promise<void> => {
    const socket = new WebSocket(`${url}/ws`, { ...options, headers });
    socket.on('close', (code) => {
      if (!isOver) record('socket', `closed with ${code}`);
    });
    await once(socket, 'open');
    const closed = once(socket, 'close');
    while (!isOver && socket.readyState === WebSocket.OPEN) {
      socket.send('still there');
      await Promise.race([once(socket, 'message'), closed]);
      record('socket', 200);
      await pause(10);
    }
    socket.terminate();
  };
  const overTls = { ca: authority.cert, servername: HOST };
  const longLived = [overSocket(`ws://127.0.0.1:${gateway.httpPort}`, {}), overSocket(`wss://127.0.0.1:${gateway.httpsPort}`, overTls)];
  const clients = [over('http'), over('http'), over('https'), over('https'), manyOverHttp2(), manyOverHttp2()];
  for (let turn = 1; turn <= CHANGES; turn++) {
    for (const [index, node] of nodes.entries()) node.probeStatus = index === turn % 4 ? 500 : 200;
    const route = routeItem('route', {
      paths: ['/anything/*'],
      methods: ['GET'],
      priority: turn,
      plugins: { 'key-auth': {}, 'request-id': {} },
    });
    const other = routeItem(`other-${turn % 5}`, { paths: [`/other/${turn}`] });
    const key = {
      kind: 'credential',
      id: `key-${turn % 7}`,
      consumer: 'jack',
      value: { name: `key-${turn}` },
      keys: [keyDigestOf(`key-${turn}`)],
    } as const;
    await Promise.all([
      pause(50),
      gateway.change(ssl(turn), service(turn), { op: 'put', item: route }, { op: 'put', item: other }, { op: 'put', item: key }),
    ]);
  }
  isOver = true;
  await Promise.all([...clients, ...longLived]);
  assert.deepEqual(failures.slice(0, 10), []);
  for (const [protocol, count] of Object.entries(counts)) assert.ok(count > 50, `${protocol}: ${count} answers`);
});
