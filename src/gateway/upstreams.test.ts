import assert from 'node:assert/strict';
import test, { after, type TestContext } from 'node:test';
import { httpAnswer, type MockHandler, startMockUpstream } from '../../test-support/mock-upstream.ts';
import { sampleValue } from '../../test-support/parse-exposition.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const worker = { httpDescriptors: [], httpsDescriptors: [] };
const gateway = await startTestGateway({ after }, { workers: [worker, worker] });
const DOWN_AT_ONCE = { http_failures: 1, tcp_failures: 1, timeouts: 1 };
let routes = 0;

/** An upstream that answers with its own name, or as its state says; probes go to `/up`. */
async function startNode(t: TestContext, name: string) {
  const state = { status: 200, probeStatus: 200, isSilent: false };
  const held: (() => void)[] = [];
  const handler: MockHandler = ({ target }) => {
    if (target === '/up') return httpAnswer(state.probeStatus);
    if (target.endsWith('/hold')) return new Promise((resolve) => held.push(() => resolve(httpAnswer(200, name))));
    return state.isSilent ? undefined : httpAnswer(state.status, name);
  };
  const upstream = await startMockUpstream(t, handler);
  const requests = (): number => upstream.requests.filter(({ target }) => target !== '/up').length;
  return { name, port: upstream.port, state, held, upstream, requests };
}

type Node = Awaited<ReturnType<typeof startNode>>;

/** Puts a service of these nodes in force and tells how to ask it. */
async function serve(nodes: readonly Node[], upstream: JsonObject, nodeFields: readonly JsonObject[] = []) {
  const id = `s${routes++}`;
  const change = async (more: JsonObject = {}): Promise<void> => {
    const listed = nodes.map(({ port }, index): JsonObject => ({ host: '127.0.0.1', port, weight: 1, ...nodeFields[index] }));
    await gateway.change(
      ...[
        { kind: 'service', id, value: { name: id, upstream: { nodes: listed, ...upstream, ...more } } },
        { kind: 'route', id, value: { name: id, service_id: id, paths: [`/${id}`, `/${id}/*`] } },
      ].map((item) => ({ op: 'put' as const, item: item as SnapshotItem })),
    );
  };
  await change();
  const ask = (rest = '', headers: readonly string[] = []) => sendRequest(gateway.httpPort, { target: `/${id}${rest}`, headers });
  const bodies = async (count: number, rest = ''): Promise<string[]> => {
    const answers: string[] = [];
    for (let request = 0; request < count; request++) answers.push((await ask(rest)).body);
    return answers;
  };
  const states = async (): Promise<JsonValue[]> => {
    const { body } = await sendRequest(gateway.statusPort, { target: '/v1/healthcheck' });
    const listed = JSON.parse(body) as { name: string; nodes: { port: number; status: string }[] }[];
    const own = listed.find(({ name }) => name === `/apisix/services/${id}`);
    return nodes.map(({ port }) => own?.nodes.find((node) => node.port === port)?.status ?? null);
  };
  const until = async (expected: readonly string[]): Promise<void> => {
    while (String(await states()) !== String(expected)) await new Promise((resolve) => setImmediate(resolve));
  };
  return { ask, bodies, states, until, change };
}

test.before(async () => {
  await gateway.load([]);
  await gateway.agent.whenReady();
});

test('a node that fails its checks gets no requests until it passes them again', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b')] as const;
  const checks = { active: { http_path: '/up', req_headers: ['X-Probe: 1'], healthy: { successes: 1 }, unhealthy: DOWN_AT_ONCE } };
  const { bodies, until } = await serve(nodes, { checks });
  await until(['healthy', 'healthy']);
  assert.deepEqual(new Set(await bodies(8)), new Set(['a', 'b']));
  nodes[1].state.probeStatus = 500;
  await until(['healthy', 'unhealthy']);
  assert.deepEqual(new Set(await bodies(10)), new Set(['a']));
  const up = async (port: number): Promise<number | undefined> => {
    const { body } = await sendRequest(gateway.metricsPort, { target: '/apisix/prometheus/metrics' });
    return sampleValue(body, 'apisix_upstream_status', { name: '/apisix/services/s0', ip: '127.0.0.1', port: String(port) });
  };
  // A text is up to a second old.
  while ((await up(nodes[1].port)) !== 0);
  assert.equal(await up(nodes[0].port), 1);
  // Of nodes that are all down all are used.
  nodes[0].state.probeStatus = 404;
  await until(['unhealthy', 'unhealthy']);
  assert.deepEqual(new Set(await bodies(8)), new Set(['a', 'b']));
  nodes[1].state.probeStatus = 302;
  await until(['unhealthy', 'healthy']);
  assert.deepEqual(new Set(await bodies(10)), new Set(['b']));
  const probe = nodes[0].upstream.requests.find(({ target }) => target === '/up');
  assert.deepEqual([probe?.values('x-probe'), probe?.values('host')], [['1'], [`127.0.0.1:${nodes[0].port}`]]);
  assert.ok(gateway.log.lines.some(({ message }) => message === 'a node is healthy again'));
  const isReported = (): boolean =>
    gateway.healthReports.some((report) => report.nodes.some(({ port, state }) => port === nodes[1].port && state === 'unhealthy'));
  while (!isReported()) await new Promise((resolve) => setImmediate(resolve));
});

test('what clients get tells of nodes too, to all workers', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b')] as const;
  // Active checks that change nothing: their failures do not count.
  const active = { http_path: '/up', unhealthy: { http_failures: 0, tcp_failures: 0, timeouts: 0 }, healthy: { successes: 0 } };
  const passive = { healthy: { successes: 0 }, unhealthy: { http_failures: 2, tcp_failures: 1, timeouts: 1 } };
  const { ask, bodies, states, change } = await serve(nodes, { checks: { active, passive } });
  nodes[1].state.status = 503;
  while (String(await states()) !== 'healthy,unhealthy') await ask();
  assert.deepEqual(new Set(await bodies(20)), new Set(['a']));
  // A change that leaves the checks alone leaves what is known alone; one that changes them begins anew.
  await change({ retries: 1 });
  assert.deepEqual(await states(), ['healthy', 'unhealthy']);
  await change({ checks: { active, passive: { ...passive, healthy: { successes: 1 } } } });
  assert.deepEqual(await states(), ['healthy', 'healthy']);
});

test('a node that refuses connections is found out by the requests that it costs nothing', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b')] as const;
  const passive = { unhealthy: { tcp_failures: 1 } };
  const { bodies, states } = await serve(nodes, { checks: { active: { type: 'tcp', unhealthy: { tcp_failures: 0 } }, passive } });
  await nodes[1].upstream.stop();
  while (String(await states()) !== 'healthy,unhealthy') assert.deepEqual(await bodies(1), ['a']);
});

test('nodes of a lower priority stand in when all above them are down', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b')] as const;
  const checks = { active: { http_path: '/up', healthy: { successes: 1 }, unhealthy: DOWN_AT_ONCE } };
  const { bodies, until } = await serve(nodes, { checks }, [{}, { priority: -1 }]);
  assert.deepEqual(new Set(await bodies(6)), new Set(['a']));
  nodes[0].state.probeStatus = 500;
  await until(['unhealthy', 'healthy']);
  assert.deepEqual(new Set(await bodies(6)), new Set(['b']));
});

test('requests of one key reach one node, through whichever worker, and another only when that is gone', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b'), await startNode(t, 'c')] as const;
  const { ask } = await serve(nodes, { type: 'chash', hash_on: 'header', key: 'X-User' });
  const owner = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    for (let user = 0; user < 12; user++) {
      const { body } = await ask('', [`X-User: user-${user}`]);
      assert.equal(owner.get(String(user)) ?? body, body);
      owner.set(String(user), body);
    }
  }
  assert.ok(new Set(owner.values()).size > 1);
  await nodes[0].upstream.stop();
  for (const [user, before] of owner) {
    const { body } = await ask('', [`X-User: user-${user}`]);
    if (before === 'a') assert.notEqual(body, 'a');
    else assert.equal(body, before);
  }
});

test('the fewest requests in flight are counted over all workers', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b'), await startNode(t, 'c')] as const;
  const { ask } = await serve(nodes, { type: 'least_conn' }, [{}, {}, { weight: 2 }]);
  const pending: Promise<unknown>[] = [];
  // One after the other, as only what is counted already can be seen.
  for (let count = 1; count <= 16; count++) {
    pending.push(ask('/hold'));
    while (nodes.reduce((sum, { held }) => sum + held.length, 0) < count) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    nodes.map(({ held }) => held.length),
    [4, 4, 8],
  );
  for (const release of nodes.flatMap(({ held }) => held)) release();
  await Promise.all(pending);
});

test('the node that answers quickly gets the requests', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b')] as const;
  const { ask, bodies } = await serve(nodes, { type: 'ewma' });
  await nodes[1].upstream.stop();
  // Each worker finds out by itself, by a request that then goes to the other node.
  assert.deepEqual(new Set(await bodies(40)), new Set(['a']));
  assert.equal((await ask()).status, 200);
});

test('nodes are found by DNS, at the address and port that the name has', async (t) => {
  const node = await startNode(t, 'found');
  const value = { name: 'dns', upstream: { service_name: `localhost:${node.port}`, discovery_type: 'dns', pass_host: 'node' } };
  await gateway.change(
    { op: 'put', item: { kind: 'service', id: 'dns', value } },
    { op: 'put', item: { kind: 'route', id: 'dns', value: { name: 'dns', service_id: 'dns', paths: ['/dns'] } } },
  );
  const answer = await sendRequest(gateway.httpPort, { target: '/dns' });
  assert.equal(answer.body, 'found');
  assert.deepEqual(node.upstream.requests.at(-1)?.values('host'), [`127.0.0.1:${node.port}`]);
});

test('no request fails while nodes, their health and the way of balancing change twenty times a second', async (t) => {
  const nodes = [await startNode(t, 'a'), await startNode(t, 'b'), await startNode(t, 'c'), await startNode(t, 'd')] as const;
  const gone = await startNode(t, 'gone');
  await gone.upstream.stop();
  const checks = {
    active: { http_path: '/up', healthy: { successes: 1 }, unhealthy: { http_failures: 1 } },
    passive: { unhealthy: { tcp_failures: 1, http_failures: 1 }, healthy: { successes: 1 } },
  };
  const { ask, change } = await serve([...nodes, gone], { checks });
  let changes = 0;
  let isOver = false;
  const failures: string[] = [];
  let requests = 0;
  const clients = Array.from({ length: 6 }, async (_, client) => {
    while (!isOver) {
      const { status, body } = await ask('', [`X-User: ${client}`]);
      requests++;
      if (status !== 200 || body === 'gone') failures.push(`${status} ${body}`);
    }
  });
  const types = ['roundrobin', 'least_conn', 'ewma', 'chash'] as const;
  const endAtMs = performance.now() + 3000;
  while (performance.now() < endAtMs) {
    const turn = changes++;
    // One node at a time is taken for unwell, some are left out, and the one that refuses is always among them.
    for (const [index, { state }] of nodes.entries()) state.probeStatus = index === turn % 5 ? 500 : 200;
    const listed = [...nodes.filter((_, index) => index !== turn % 4), gone].map(({ port }, index) => ({
      host: '127.0.0.1',
      port,
      weight: 1 + ((turn + index) % 3),
      priority: index === turn % 3 ? 1 : 0,
    }));
    await change({ nodes: listed, type: types[turn % types.length] ?? '', hash_on: 'header', key: 'X-User' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(failures, []);
  assert.ok(changes >= 20 && requests > 50, `${changes} changes, ${requests} requests`);
});
