import assert from 'node:assert/strict';
import test from 'node:test';
import { type PhaseResult, refuse } from '../../plugin-kit/index.ts';
import type { FakeExchange } from '../testing/fake-exchange.ts';
import { appended, requestLines, startPipeline } from '../testing/test-pipeline.ts';
import { putInForce, routeChange, serviceChange, serviceWithoutUpstream, testPlugin } from '../testing/test-runtime.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';

function target(exchange: FakeExchange): string | undefined {
  return exchange.plan?.requestTarget?.toString('latin1');
}

function isForwarded(exchange: FakeExchange): boolean {
  return exchange.plan !== undefined;
}

test('a request without a route gets the reference text and one reason', async () => {
  const { ask, finish } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { methods: ['GET'] })]);
  for (const line of ['GET /b', 'POST /a', 'OPTIONS /b']) {
    const exchange = ask(line);
    assert.equal(exchange.answer?.status, 404, line);
    assert.equal(exchange.answer?.body.toString(), '{"error_msg":"404 Route Not Found"}\n');
    assert.match(exchange.answer?.headerLines.toString() ?? '', /^Content-Type: text\/plain; charset=utf-8\r\n$/);
    assert.equal(finish(exchange).reason, 'route_not_found');
  }
});

test('a question about the server as a whole is answered by the gateway, whatever routes there are', async () => {
  for (const changes of [[], [serviceChange(), routeChange('all', ['/*']), routeChange('root', ['/'])]]) {
    const { ask, finish } = await startPipeline(changes);
    const exchange = ask('OPTIONS *');
    assert.equal(exchange.plan, undefined);
    assert.equal(exchange.answer?.status, 200);
    assert.equal(exchange.answer?.body.length, 0);
    assert.equal(exchange.answer?.headerLines.toString(), 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n');
    assert.equal(finish(exchange).reason, undefined);
  }
});

test('a path that cannot be read is refused before any route is looked for', async () => {
  const { ask } = await startPipeline([serviceChange(), routeChange('all', ['/*'])]);
  for (const path of ['/%00', '/a%2', '/%zz', '/../etc', '/a/../../etc', '/%2e%2e/x']) {
    const exchange = ask(`GET ${path}`);
    assert.equal(exchange.answer?.status, 400, path);
    assert.equal(exchange.answer?.reason, 'bad_path', path);
    assert.match(exchange.answer?.headerLines.toString() ?? '', /^Content-Type: application\/json\r\n/);
    assert.equal(exchange.answer?.body.toString(), '{"error_msg":"malformed request path"}\n');
  }
});

test('an encoded slash is refused where its two readings lead to different routes, and passes where they agree', async () => {
  const { ask } = await startPipeline([
    serviceChange(),
    routeChange('open', ['/files/*']),
    routeChange('secret', ['/files/secret/*']),
    routeChange('agreed', ['/agreed/*']),
  ]);
  assert.equal(ask('GET /files/secret%2Fkey').answer?.reason, 'ambiguous_path');
  assert.equal(ask('GET /files/secret%5Ckey').answer?.reason, 'ambiguous_path');
  const exchange = ask('GET /agreed/a%2Fb?q=%2F');
  assert.notEqual(exchange.plan, undefined);
  assert.equal(target(exchange), undefined);
});

test('an encoded way out of what is left without the prefix is refused, with conditions and without, and one that stays in it passes', async () => {
  for (const [prefix, tenant] of [
    ['/:tenant', 'admin'],
    ['/api', 'api'],
  ] as const) {
    for (const more of [{}, { vars: [['arg_x', '==', '1']] }]) {
      const { ask } = await startPipeline([serviceChange({ path_prefix: prefix }), routeChange('a', ['/pub/*'], more)]);
      for (const [slash, parent] of [
        ['%2f', '..'],
        ['%5C', '%2e%2e'],
      ]) {
        const path = `/${tenant}/pub/${parent}${slash}${parent}${slash}${tenant}/pub/x?x=1`;
        const { answer } = ask(`GET ${path}`);
        assert.deepEqual([answer?.status, answer?.reason], [400, 'ambiguous_path'], path);
      }
      assert.equal(target(ask(`GET /${tenant}/pub/a%2Fb%2F..%2Fc?x=1`)), '/pub/a%2Fb%2F..%2Fc?x=1');
    }
    const kept = await startPipeline([serviceChange({ path_prefix: prefix, strip_path_prefix: false }), routeChange('a', ['/pub/*'])]);
    assert.ok(isForwarded(kept.ask(`GET /${tenant}/pub/..%2f..%2f${tenant}/pub/x`)));
  }
});

test('what normalising changed is forwarded normalised, anything else byte for byte', async () => {
  const { ask } = await startPipeline([serviceChange(), routeChange('all', ['/*'])]);
  assert.equal(target(ask('GET /a/./b//c?x=1')), '/a/b/c?x=1');
  assert.equal(target(ask('GET /a/b/../c')), '/a/c');
  assert.equal(target(ask('GET /a%20b/%7Ec?x=%2e')), undefined);
});

test('the prefix of the service is taken off the path, and nothing else of the target', async () => {
  const { ask } = await startPipeline([serviceChange({ path_prefix: '/api' }), routeChange('all', ['/*']), routeChange('root', ['/'])]);
  assert.equal(target(ask('GET /api/users?x=/api')), '/users?x=/api');
  assert.equal(target(ask('GET /%61pi/users')), '/users');
  assert.equal(target(ask('GET /api/')), '/');
  const kept = await startPipeline([serviceChange({ path_prefix: '/api', strip_path_prefix: false }), routeChange('all', ['/*'])]);
  assert.equal(target(kept.ask('GET /api/users')), undefined);
});

test('the Host that an upstream gets is the client’s, the node’s or the configured one', async () => {
  const nodes = [{ host: '10.1.1.1', port: 8081, weight: 1 }];
  const ipv6 = [{ host: '::1', port: 80, weight: 1 }];
  const hostOf = async (upstream: Record<string, unknown>): Promise<string | undefined> => {
    const { ask } = await startPipeline([serviceChange({ upstream: { nodes, ...upstream } as never }), routeChange('a', ['/a'])]);
    return ask('GET /a').plan?.hostValue?.toString();
  };
  assert.equal(await hostOf({}), undefined);
  assert.equal(await hostOf({ pass_host: 'node' }), '10.1.1.1:8081');
  assert.equal(await hostOf({ pass_host: 'node', nodes: ipv6 }), '[::1]');
  assert.equal(await hostOf({ pass_host: 'rewrite', upstream_host: 'api.internal' }), 'api.internal');
});

test('with pass_host node every attempt gets the Host of its own node', async () => {
  const nodes = [1, 2].map((last) => ({ host: `10.1.1.${last}`, port: 80, weight: 1 }));
  const { ask } = await startPipeline([serviceChange({ upstream: { nodes, pass_host: 'node' } }), routeChange('a', ['/a'])]);
  const plan = ask('GET /a').plan;
  const before = plan?.hostValue?.toString();
  for (const attempt of [0, 1]) {
    const next = plan?.nextTarget(attempt, attempt === 0 ? undefined : 'connect_refused');
    assert.equal(typeof next === 'object' ? next.address : next, plan?.hostValue?.toString());
    if (attempt === 0) assert.equal(plan?.hostValue?.toString(), before);
  }
});

test('each attempt goes to a node that was not tried, as often as retries allow', async () => {
  const node = (last: number) => ({ host: `10.1.1.${last}`, port: 80, weight: 1 });
  const attempts = async (upstream: Record<string, unknown>): Promise<readonly string[]> => {
    const { ask } = await startPipeline([serviceChange({ upstream: upstream as never }), routeChange('a', ['/a'])]);
    const plan = ask('GET /a').plan;
    const made: string[] = [];
    for (let attempt = 0; plan !== undefined && attempt < 10; attempt++) {
      const next = plan.nextTarget(attempt, attempt === 0 ? undefined : 'connect_refused');
      if (typeof next === 'string') return [...new Set(made), next];
      made.push(next.address);
    }
    return made;
  };
  const all = await attempts({ nodes: [node(1), node(2), node(3)] });
  assert.deepEqual([...all].sort(), ['10.1.1.1', '10.1.1.2', '10.1.1.3', 'connect_refused']);
  assert.equal((await attempts({ nodes: [node(1), node(2), node(3)], retries: 1 })).length, 3);
  assert.equal((await attempts({ nodes: [node(1), node(2)], retries: 0 })).length, 2);
  assert.deepEqual(await attempts({ nodes: [node(1)], retries: 5 }), ['10.1.1.1', 'connect_refused']);
});

test('no attempt begins after retry_timeout', async () => {
  const nodes = [1, 2, 3].map((last) => ({ host: `10.1.1.${last}`, port: 80, weight: 1 }));
  const { ask, clock } = await startPipeline([serviceChange({ upstream: { nodes, retry_timeout: 2 } }), routeChange('a', ['/a'])]);
  const plan = ask('GET /a').plan;
  assert.equal(typeof plan?.nextTarget(0, undefined), 'object');
  clock.advance(1000);
  assert.equal(typeof plan?.nextTarget(1, 'connect_refused'), 'object');
  clock.advance(1000);
  assert.equal(plan?.nextTarget(2, 'connect_timeout'), 'retry_timeout');
});

test('without a node that can be used the answer says why, after the plugins have let the request pass', async () => {
  const node = (weight: number, last: number) => ({ host: `10.1.1.${last}`, port: 80, weight });
  const reasonOf = async (service: RuntimeChange): Promise<readonly unknown[]> => {
    const { ask } = await startPipeline([service, routeChange('a', ['/a'])]);
    const { answer } = ask('GET /a');
    return [answer?.status, answer?.reason];
  };
  assert.deepEqual(await reasonOf(serviceWithoutUpstream()), [503, 'no_upstream']);
  assert.deepEqual(await reasonOf(serviceChange({ upstream: { nodes: [] } })), [503, 'no_node']);
  assert.deepEqual(await reasonOf(serviceChange({ upstream: { nodes: [{ host: 'nowhere', port: 80, weight: 1 }] } })), [503, 'dns']);
  assert.deepEqual(await reasonOf(serviceChange({ upstream: { nodes: [node(0, 1), node(0, 2)] } })), [502, 'no_usable_node']);
  assert.deepEqual(await reasonOf(serviceChange({ upstream: { nodes: [node(0, 1)] } })), [undefined, undefined]);
  const { ask } = await startPipeline(
    [serviceChange({ upstream: { nodes: [] } }), routeChange('a', ['/a'], { plugins: { guard: {} } })],
    [testPlugin('guard', 1, { access: () => refuse('key_missing') })],
  );
  assert.equal(ask('GET /a').answer?.status, 401);
});

test('the time-outs of a route come before those of its upstream', async () => {
  const nodes = [{ host: '10.1.1.1', port: 80, weight: 1 }];
  const { ask } = await startPipeline([
    serviceChange({ upstream: { nodes, timeout: { connect: 1, send: 2, read: 3 } } }),
    routeChange('a', ['/a']),
    routeChange('b', ['/b'], { timeout: { connect: 4, send: 5, read: 6 } }),
  ]);
  const timeouts = (exchange: FakeExchange) => [
    exchange.plan?.connectTimeoutMs,
    exchange.plan?.sendTimeoutMs,
    exchange.plan?.readTimeoutMs,
  ];
  assert.deepEqual(timeouts(ask('GET /a')), [1000, 2000, 3000]);
  assert.deepEqual(timeouts(ask('GET /b')), [4000, 5000, 6000]);
});

const broken: ReadonlyArray<readonly [string, () => PhaseResult | Promise<PhaseResult>]> = [
  ['throws', () => assert.fail('on purpose')],
  ['rejects', () => Promise.reject(new Error('on purpose'))],
  ['returns what is no answer', () => ({ status: 'no' }) as never],
  ['promises what is no answer', () => Promise.resolve({} as never)],
];

for (const [what, rewrite] of broken) {
  test(`a plugin that ${what} ends the request with 500, and the log names plugin, phase and route`, async () => {
    const { ask, log, finish } = await startPipeline(
      [serviceChange(), routeChange('a', ['/a'], { plugins: { bad: {} } })],
      [testPlugin('bad', 1, { rewrite })],
    );
    const exchange = ask('GET /a');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(exchange.answer?.status, 500);
    assert.equal(exchange.answer?.body.toString(), '{"error_msg":"internal error"}\n');
    const [line] = log.lines;
    assert.deepEqual([line?.fields.plugin, line?.fields.phase, line?.fields.route], ['bad', 'rewrite', 'a']);
    assert.equal(finish(exchange).reason, 'plugin_failed');
  });
}

test('a plugin may decide later, and those after it wait for it', async () => {
  const later = testPlugin('later', 9, {
    rewrite: async (request) => {
      await Promise.resolve();
      request.setHeader('X-Later', request.header('x-in') ?? '');
      return undefined;
    },
  });
  const next = testPlugin('next', 1, { rewrite: (request) => request.setHeader('X-Next', request.header('x-later') ?? '') as undefined });
  const { ask } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins: { later: {}, next: {} } })], [later, next]);
  const exchange = ask('GET /a', ['X-In: 5']);
  assert.equal(isForwarded(exchange), false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.match(requestLines(exchange), /X-Later: 5\r\nX-Next: 5\r\n/);
});

test('a plugin that does not decide within ten seconds has failed, and what it does later touches nobody', async () => {
  let resume = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const late: unknown[] = [];
  const slow = testPlugin('slow', 1, {
    rewrite: async (request) => {
      await waiting;
      try {
        late.push(request.header('x-secret'));
      } catch (error) {
        late.push(error instanceof Error);
      }
      return undefined;
    },
  });
  const { ask, clock, finish } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins: { slow: {} } })], [slow]);
  const exchange = ask('GET /a', ['X-Secret: mine']);
  clock.advance(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(exchange.answer?.reason, 'plugin_failed');
  finish(exchange);
  ask('GET /a', ['X-Secret: of another client']);
  resume();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(late, [true, 'of another client']);
});

test('a client that goes while a plugin waits is not answered', async () => {
  let resume = (): void => {};
  const waiting = new Promise<undefined>((resolve) => {
    resume = () => resolve(undefined);
  });
  const { ask, finish } = await startPipeline(
    [serviceChange(), routeChange('a', ['/a'], { plugins: { slow: {} } })],
    [testPlugin('slow', 1, { rewrite: () => waiting })],
  );
  const exchange = ask('GET /a');
  finish(exchange);
  resume();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(exchange.plan, undefined);
});

test('plugins see what the upstream would get: no identity that a client claims, and their own edits', async () => {
  const seen: (string | undefined)[] = [];
  const look = testPlugin('look', 1, {
    rewrite: (request) => {
      seen.push(request.header('x-consumer-username'), request.header('x-a'), request.header('x-empty'), request.header('x-none'));
      request.removeHeader('x-a');
      seen.push(request.header('x-a'));
      request.setHeader('X-A', 'new');
      seen.push(request.header('x-a'));
      const consumer = request.findConsumerByKey('key-auth', 'right');
      assert.ok(consumer !== undefined);
      request.attachConsumer(consumer);
      seen.push(request.header('x-consumer-username'), request.header('x-credential-identifier'));
      assert.throws(() => request.setHeader('X-B', 'a\r\nX-Consumer-Username: root'), TypeError);
      return undefined;
    },
  });
  const { ask, finish } = await startPipeline([serviceChange(), routeChange('a', ['/a'], { plugins: { look: {} } })], [look]);
  const exchange = ask('GET /a', ['X-Consumer-Username: root', 'X-A: first', 'x-a: second', 'X-Empty:']);
  assert.deepEqual(seen, [undefined, 'first', '', undefined, undefined, 'new', 'jack', 'c1']);
  const lines = requestLines(exchange);
  assert.deepEqual(exchange.head.keptNames, ['Host', 'X-Empty']);
  assert.match(lines, /^X-A: new\r\nX-Consumer-Username: jack\r\nX-Credential-Identifier: c1\r\nX-Real-IP: 10\.0\.0\.7\r\n/);
  const line = finish(exchange);
  assert.deepEqual([line.consumer, line.credential, line.route, line.service, line.revision], ['jack', 'c1', 'a', 's', 7]);
});

test('the request id is the gateway’s own, in the answer and in the log, and a client’s stands beside it', async () => {
  const { pipeline, ask, finish } = await startPipeline([serviceChange(), routeChange('a', ['/a'])]);
  const forwarded = ask('GET /a?apikey=secret', ['Portcullis-Request-Id: forged', `X-Request-Id: ${'i'.repeat(200)}`]);
  assert.deepEqual(forwarded.head.keptNames, ['Host', 'X-Request-Id']);
  const id = /^Portcullis-Request-Id: ([0-9a-f]{32})\r\n$/.exec(appended((writer) => pipeline.appendAnswerLines(forwarded, writer)))?.[1];
  assert.ok(id !== undefined);
  assert.equal(
    appended((writer) => pipeline.appendAnswerLines(forwarded, writer)),
    `Portcullis-Request-Id: ${id}\r\n`,
  );
  const line = finish(forwarded);
  assert.equal(line.request_id, id);
  assert.equal(line.client_request_id, 'i'.repeat(128));
  assert.equal(line.path, '/a');
  assert.equal(JSON.stringify(line).includes('secret'), false);
});

test('nothing of one request is left in the next', async () => {
  const attach = testPlugin('attach', 1, {
    rewrite: (request) => {
      const consumer = request.findConsumerByKey('key-auth', request.header('apikey') ?? '');
      if (consumer !== undefined) request.attachConsumer(consumer);
      request.removeQueryArgument('x');
      return undefined;
    },
  });
  const { ask, finish } = await startPipeline(
    [serviceChange(), routeChange('a', ['/a'], { plugins: { attach: {} } }), routeChange('b', ['/b'])],
    [attach],
  );
  const first = ask('GET /a?x=1', ['apikey: right', 'X-Forwarded-For: 1.1.1.1', 'X-Request-Id: one']);
  assert.equal(target(first), '/a');
  finish(first);
  const second = ask('GET /b');
  assert.equal(target(second), undefined);
  assert.doesNotMatch(requestLines(second), /jack|1\.1\.1\.1/);
  const line = finish(second);
  assert.deepEqual([line.consumer, line.client_request_id, line.path], [undefined, undefined, '/b']);
});

test('what is entered is noted before it runs', async () => {
  const { ask, entered } = await startPipeline(
    [serviceChange(), routeChange('a', ['/a'], { plugins: { one: {}, two: {} } })],
    [testPlugin('one', 1, { rewrite: () => undefined }), testPlugin('two', 2, { access: () => refuse('key_missing') })],
  );
  ask('GET /a');
  assert.deepEqual(entered, [
    [1, 0],
    [1, 1],
    [1, 2],
  ]);
});

test('a repeated request is decided as the first, and a change of routes is seen at once', async () => {
  const { ask, runtime } = await startPipeline([serviceChange(), routeChange('a', ['/a'])]);
  for (let round = 0; round < 4; round++) {
    assert.ok(isForwarded(ask('GET /a')));
    assert.equal(ask('GET /b').answer?.status, 404);
    assert.equal(ask('GET /a/%2e%2e/%2e%2e').answer?.reason, 'bad_path');
  }
  await putInForce(runtime, [routeChange('b', ['/b']), { op: 'delete-route', id: 'a' }]);
  assert.equal(ask('GET /a').answer?.status, 404);
  assert.ok(isForwarded(ask('GET /b')));
});

test('the log names the revision that a request came in, however long it lasts', async () => {
  const { ask, finish, inForce } = await startPipeline([serviceChange(), routeChange('a', ['/a'])]);
  const long = ask('GET /a');
  inForce.revision = 8;
  assert.equal(finish(long).revision, 7);
  assert.equal(finish(ask('GET /a')).revision, 8);
});
