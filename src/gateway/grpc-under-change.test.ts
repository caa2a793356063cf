import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { SnapshotChange } from '../schema/index.ts';
import { guideItems, routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const HOST = 'localhost';
const CHANGES = 40;
const same = (value: Buffer): Buffer => value;
const method = (name: string, streams: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream: streams,
  responseStream: streams,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

interface Pair {
  readonly cert: string;
  readonly key: string;
}

interface Node {
  readonly host: string;
  readonly port: number;
  /** What it answers to health checks. */
  probeStatus: number;
}

/** One for each address, all on the same port, which others may have taken on one of them. */
async function listenOnOnePort(t: TestContext, hosts: readonly string[]): Promise<readonly HttpServer[]> {
  for (let tries = 0; tries < 20; tries++) {
    const servers: HttpServer[] = [];
    try {
      for (const host of hosts) {
        const server = createServer();
        server.listen(portOf(servers[0]), host);
        await once(server, 'listening');
        servers.push(server);
      }
      t.after(() => {
        for (const server of servers) {
          server.closeAllConnections();
          server.close();
        }
      });
      return servers;
    } catch (error) {
      for (const server of servers) server.close();
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
  throw new Error('twenty ports are free on one address and not on another');
}

/** 0 of none. */
function portOf(server: HttpServer | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A service of gRPC over TLS that echoes, on an address of its own; `probe` answers its health checks. */
async function startNode(t: TestContext, host: string, probe: HttpServer, pair: Pair): Promise<Node> {
  const server = new Server();
  t.after(() => server.forceShutdown());
  server.addService(
    { Unary: method('Unary', false), Chat: method('Chat', true) },
    {
      Unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, call.request),
      Chat: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message));
        call.on('end', () => call.end());
      },
    },
  );
  const secured = ServerCredentials.createSsl(null, [{ private_key: Buffer.from(pair.key), cert_chain: Buffer.from(pair.cert) }]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:0`, secured, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  const node = { host, port, probeStatus: 200 };
  probe.on('request', (_request, response) => {
    response.statusCode = node.probeStatus;
    response.end();
  });
  return node;
}

const KEY = new Metadata();
KEY.set('apikey', 'secret-api-key');

/** The status of a unary call that gets its message back. */
function unary(client: Client, text: string): Promise<number> {
  return new Promise((resolve) => {
    client.makeUnaryRequest('/test.Echo/Unary', same, same, Buffer.from(text), KEY, (error, value) => {
      resolve(error?.code ?? (String(value) === text ? status.OK : status.DATA_LOSS));
    });
  });
}

/** The status of a stream whose messages each wait for the answer to the one before. */
async function chat(client: Client): Promise<number> {
  const call = client.makeBidiStreamRequest('/test.Echo/Chat', same, same, KEY);
  let left = 5;
  call.on('error', () => {});
  call.on('data', () => {
    if (--left > 0) setTimeout(() => call.write(Buffer.from(`message ${left}`)), 10);
    else call.end();
  });
  call.write(Buffer.from('first'));
  const [ended] = await once(call, 'status');
  return ended.code === status.OK && left > 0 ? status.DATA_LOSS : ended.code;
}

test('no call of gRPC fails while certificates, routes, nodes and health change twenty times a second', async (t) => {
  const authority = await TestAuthority.create();
  const certificates = await Promise.all(Array.from({ length: 4 }, () => authority.issue({ names: [HOST] })));
  const certificate = certificates[0] ?? assert.fail();
  const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
  const probes = await listenOnOnePort(t, hosts);
  const probePort = portOf(probes[0]);
  const nodes = await Promise.all(probes.map((probe, index) => startNode(t, hosts[index] ?? assert.fail(), probe, certificate)));
  const first = nodes[0] ?? assert.fail();
  const gateway = await startTestGateway(t);
  const checks = {
    active: { type: 'http', port: probePort, healthy: { interval: 1, successes: 1 }, unhealthy: { interval: 1, http_failures: 1 } },
  };
  // Nobody listens there.
  const gone = { host: '127.0.0.5', port: first.port, weight: 1 };
  const changesOf = (turn: number): readonly SnapshotChange[] => {
    const { cert, key } = certificates[turn % certificates.length] ?? assert.fail();
    const listed = nodes.filter((_, index) => index !== turn % 3).map(({ host, port }, index) => ({ host, port, weight: 1 + (index % 2) }));
    const type = turn % 2 === 0 ? 'roundrobin' : 'least_conn';
    return [
      { op: 'put', item: { kind: 'ssl', id: 'a', value: { snis: [HOST], cert, key } } },
      { op: 'put', item: serviceItem(first.port, { upstream: { type, scheme: 'grpcs', nodes: [...listed, gone], retries: 4, checks } }) },
      { op: 'put', item: routeItem('route', { paths: ['/test.Echo/*'], priority: turn, plugins: { 'key-auth': {} } }) },
      { op: 'put', item: routeItem(`other-${turn % 5}`, { paths: [`/other/${turn}`] }) },
    ];
  };
  await gateway.load(guideItems(first.port));
  await gateway.change(...changesOf(0));
  await gateway.agent.whenReady();

  let isOver = false;
  const counts = { unary: 0, chat: 0 };
  const failures: string[] = [];
  const clientsOf = async (kind: keyof typeof counts): Promise<void> => {
    while (!isOver) {
      const client = new Client(`${HOST}:${gateway.httpsPort}`, credentials.createSsl(Buffer.from(authority.cert)));
      for (let turn = 0; turn < 15 && !isOver; turn++) {
        const code = kind === 'unary' ? await unary(client, `${turn}`) : await chat(client);
        counts[kind]++;
        if (code !== status.OK) failures.push(`${kind}: ${status[code]}`);
      }
      client.close();
    }
  };
  const clients = [clientsOf('unary'), clientsOf('unary'), clientsOf('chat'), clientsOf('chat'), clientsOf('chat')];
  for (let turn = 1; turn <= CHANGES; turn++) {
    for (const [index, node] of nodes.entries()) node.probeStatus = index === turn % 4 ? 500 : 200;
    await Promise.all([pause(50), gateway.change(...changesOf(turn))]);
  }
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(failures.slice(0, 10), []);
  for (const [kind, count] of Object.entries(counts)) assert.ok(count > 10, `${kind}: ${count} calls`);
});
