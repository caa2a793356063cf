import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { httpAnswer, type MockHandler, type MockUpstream, startMockUpstream } from '../../../test-support/mock-upstream.ts';
import { until } from '../../../test-support/running-instance.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type RawAnswer, type RequestText, sendRequest } from '../testing/send-request.ts';
import { createGateway } from './index.ts';

interface Served {
  readonly clock: FakeClock;
  readonly nodes: readonly MockUpstream[];
  readonly ask: (request?: RequestText) => Promise<RawAnswer>;
}

interface Wanted {
  readonly nodes?: number;
  readonly handler?: (clock: FakeClock) => MockHandler;
  readonly routes?: Readonly<Record<string, JsonObject>>;
}

/** Real nodes behind one upstream, asked by a real client; time is the test's. */
async function serve(t: TestContext, upstream: JsonObject, wanted: Wanted = {}): Promise<Served> {
  const clock = new FakeClock();
  const handler = wanted.handler?.(clock);
  const nodes: MockUpstream[] = [];
  for (let count = 0; count < (wanted.nodes ?? 1); count++) nodes.push(await startMockUpstream(t, handler));
  const listed = nodes.map(({ host, port }) => ({ host, port, weight: 1 }));
  const routes = wanted.routes ?? { r: { paths: ['/*'] } };
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: { nodes: listed, ...upstream } } },
      routes: Object.fromEntries(Object.entries(routes).map(([id, route]) => [id, { name: id, service_id: 's', ...route }])),
    },
    { clock },
  );
  t.after(() => gateway.close());
  const port = await gateway.port();
  return { clock, nodes, ask: (request) => sendRequest(port, request) };
}

const HANGS_UP: MockHandler = (_request, socket) => {
  socket.destroy();
  return undefined;
};

function requestsAt(nodes: readonly MockUpstream[]): number {
  return nodes.reduce((sum, { requests }) => sum + requests.length, 0);
}

test('keepalive_pool.requests is how many requests a connection serves', async (t) => {
  const { nodes, ask } = await serve(t, { keepalive_pool: { requests: 2 } });
  for (let count = 0; count < 5; count++) assert.equal((await ask()).status, 200);
  assert.deepEqual(
    nodes[0]?.requests.map(({ connection }) => connection),
    [0, 0, 1, 1, 2],
  );
});

test('keepalive_pool.idle_timeout is how long a connection is kept that nobody uses', async (t) => {
  const { nodes, ask, clock } = await serve(t, { keepalive_pool: { idle_timeout: 5 } });
  const [node] = nodes;
  await ask();
  clock.advance(4_000);
  await ask();
  assert.equal(node?.acceptedConnections, 1);
  clock.advance(6_000);
  await until(() => node?.openConnections === 0, 'the idle connection is closed');
  await ask();
  assert.equal(node?.acceptedConnections, 2);
});

test('keepalive_pool.size is how many connections are kept when they are not in use', async (t) => {
  const openAfter = async (size: number): Promise<readonly (number | undefined)[]> => {
    const gate = Promise.withResolvers<void>();
    const handler: MockHandler = async () => {
      await gate.promise;
      return httpAnswer(200, 'ok');
    };
    const { nodes, ask } = await serve(t, { keepalive_pool: { size } }, { handler: () => handler });
    const [node] = nodes;
    const answers = [ask(), ask(), ask()];
    await until(() => node?.requests.length === 3, 'three requests are in flight');
    gate.resolve();
    for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
    await until(() => node?.openConnections === Math.min(size, 3), `${size} connections are kept`);
    await ask();
    return [node?.acceptedConnections, node?.openConnections];
  };
  assert.deepEqual(await openAfter(1), [3, 1]);
  assert.deepEqual(await openAfter(2), [3, 2]);
  assert.deepEqual(await openAfter(3), [3, 3]);
});

test('retries is how many more nodes a request is tried at, and what may not be repeated is not', async (t) => {
  const triedAt = async (upstream: JsonObject, request?: RequestText): Promise<readonly [status: number, requests: number]> => {
    const { nodes, ask } = await serve(t, upstream, { nodes: 3, handler: () => HANGS_UP });
    const { status } = await ask(request);
    for (const { requests } of nodes) assert.ok(requests.length < 2, 'no node is asked twice');
    return [status, requestsAt(nodes)];
  };
  assert.deepEqual(await triedAt({ retries: 0 }), [502, 1]);
  assert.deepEqual(await triedAt({ retries: 1 }), [502, 2]);
  assert.deepEqual(await triedAt({}), [502, 3]);
  assert.deepEqual(await triedAt({ retries: 9 }), [502, 3]);
  assert.deepEqual(await triedAt({ retries: 2 }, { method: 'POST', body: 'x' }), [502, 1]);
});

test('retry_timeout is when no further attempt begins, and 0 is never', async (t) => {
  const outcome = async (retryTimeout: number): Promise<readonly [status: number, requests: number]> => {
    let asked = 0;
    const handler = (clock: FakeClock): MockHandler => {
      return (request, socket) => {
        if (++asked > 1) return httpAnswer(200, 'ok');
        clock.advance(3_000);
        return HANGS_UP(request, socket);
      };
    };
    const { nodes, ask } = await serve(t, { retry_timeout: retryTimeout }, { nodes: 2, handler });
    return [(await ask()).status, requestsAt(nodes)];
  };
  assert.deepEqual(await outcome(2), [502, 1]);
  assert.deepEqual(await outcome(5), [200, 2]);
  assert.deepEqual(await outcome(0), [200, 2]);
});

test('pass_host says which Host a node gets: the client’s, its own or upstream_host', async (t) => {
  const hostFor = async (upstream: JsonObject): Promise<readonly [hosts: readonly string[] | undefined, port: number | undefined]> => {
    const { nodes, ask } = await serve(t, upstream);
    assert.equal((await ask({ host: 'client.example:8080' })).status, 200);
    return [nodes[0]?.requests[0]?.values('host'), nodes[0]?.port];
  };
  assert.deepEqual((await hostFor({}))[0], ['client.example:8080']);
  assert.deepEqual((await hostFor({ pass_host: 'pass' }))[0], ['client.example:8080']);
  const [own, port] = await hostFor({ pass_host: 'node' });
  assert.deepEqual(own, [`127.0.0.1:${port}`]);
  assert.deepEqual((await hostFor({ pass_host: 'rewrite', upstream_host: 'api.internal' }))[0], ['api.internal']);
  assert.deepEqual((await hostFor({ pass_host: 'pass', upstream_host: 'api.internal' }))[0], ['client.example:8080']);
});

test('a client of HTTP/1.0 that names no host asks a node by the node’s own, byte for byte', async (t) => {
  const asked = async (upstream: JsonObject, headers: readonly string[] = []): Promise<string | undefined> => {
    const { nodes, ask } = await serve(t, upstream);
    assert.equal((await ask({ version: '1.0', target: '/a?b', headers })).status, 200);
    const [node] = nodes;
    const text = node?.requests[0]?.bytes.toString('latin1').replaceAll(`:${node.port}`, ':NODE');
    return text?.replace(/X-Forwarded-Port: \d+/, 'X-Forwarded-Port: OWN');
  };
  const rest = 'X-Real-IP: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: OWN\r\n\r\n';
  for (const passHost of [{}, { pass_host: 'pass' }, { pass_host: 'node' }]) {
    assert.equal(await asked(passHost), `GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:NODE\r\n${rest}`);
  }
  assert.equal(await asked({ pass_host: 'rewrite', upstream_host: 'api.internal' }), `GET /a?b HTTP/1.1\r\nHost: api.internal\r\n${rest}`);
  assert.match((await asked({}, ['Host: client.example'])) ?? '', /^GET \/a\?b HTTP\/1\.1\r\nHost: client\.example\r\n/);
});

test('OPTIONS of the server, in both forms, is answered without asking a node; of a path it goes to one', async (t) => {
  const { nodes, ask } = await serve(t, {});
  for (const target of ['*', 'http://test']) {
    const answer = await ask({ method: 'OPTIONS', target });
    assert.equal(answer.status, 200);
    assert.match(answer.head, /\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/);
    assert.match(answer.head, /\r\nContent-Length: 0\r\n/);
    assert.equal(answer.body, '');
  }
  assert.equal(requestsAt(nodes), 0);
  assert.equal((await ask({ method: 'OPTIONS', target: '/' })).body, 'ok');
  for (const [method, target] of [
    ['GET', '*'],
    ['OPTIONS', '*?a'],
    ['CONNECT', 'test:443'],
  ] as const) {
    const answer = await ask({ method, target });
    assert.equal(answer.status, method === 'CONNECT' ? 501 : 400, `${method} ${target}`);
  }
  assert.equal(requestsAt(nodes), 1);
});

test('a request without Host that is tried again has the Host of the node that it is tried at', async (t) => {
  const { nodes, ask } = await serve(t, {}, { nodes: 2, handler: () => HANGS_UP });
  assert.equal((await ask({ version: '1.0' })).status, 502);
  for (const { requests, port } of nodes) assert.deepEqual(requests[0]?.values('host'), [`127.0.0.1:${port}`]);
});

test('with pass_host node a request that is tried again has the Host of the node that it is tried at', async (t) => {
  const { nodes, ask } = await serve(t, { pass_host: 'node' }, { nodes: 3, handler: () => HANGS_UP });
  assert.equal((await ask()).status, 502);
  for (const { requests, port } of nodes)
    assert.deepEqual(
      requests.map((request) => request.values('host')),
      [[`127.0.0.1:${port}`]],
    );
});

test('the timeout of a route wins over that of its upstream, shorter and longer', async (t) => {
  const timeout = (read: number): JsonObject => ({ connect: 60, send: 60, read });
  const handler = (clock: FakeClock): MockHandler => {
    return ({ target }) => {
      clock.advance(target.endsWith('/late') ? 11_000 : 3_000);
      return target.endsWith('/late') ? undefined : httpAnswer(200, 'ok');
    };
  };
  const routes = {
    own: { paths: ['/own/*'], timeout: timeout(10) },
    short: { paths: ['/short/*'], timeout: timeout(2) },
    none: { paths: ['/none/*'] },
  };
  const upstream = { retries: 0, timeout: timeout(5) };
  const { ask } = await serve(t, upstream, { handler, routes });
  const statusOf = async (target: string): Promise<number> => (await ask({ target })).status;
  assert.equal(await statusOf('/short/x'), 504);
  assert.equal(await statusOf('/none/x'), 200);
  assert.equal(await statusOf('/none/late'), 504);
  assert.equal(await statusOf('/own/late'), 504);
  const lenient = await serve(t, { ...upstream, timeout: timeout(2) }, { handler, routes });
  assert.equal((await lenient.ask({ target: '/own/x' })).status, 200);
  assert.equal((await lenient.ask({ target: '/none/x' })).status, 504);
});
