import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { respond } from '../../plugin-kit/index.ts';
import { methodBit, methodMask, type RoutableRoute } from '../router/index.ts';
import { naiveMatches } from '../router/testing/naive-matcher.ts';
import { type RawAnswer, type RequestText, sendRequest } from '../testing/send-request.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';
import { plugin } from './testing/serve-plugins.ts';

type Routes = Readonly<Record<string, JsonObject>>;

/** Answers with the route's id. */
const tell = plugin('tell', 1, { access: (request) => respond(200, request.route?.id ?? '') });

/** Routes of the service `s`, each of which answers with its id; says which one a request takes, or the status of its refusal. */
async function serveRoutes(t: TestContext, routes: Routes, service: JsonObject = {}) {
  const log = new RecordingLogger();
  const gateway = createGateway(
    {
      services: { s: { name: 's', ...service } },
      routes: Object.fromEntries(
        Object.entries(routes).map(([id, route]) => [id, { name: id, service_id: 's', paths: ['/*'], plugins: { tell: {} }, ...route }]),
      ),
    },
    { plugins: [tell], log },
  );
  t.after(() => gateway.close());
  const port = await gateway.port();
  const ask = async (request: RequestText | string): Promise<string> =>
    outcome(await sendRequest(port, typeof request === 'string' ? { target: request } : request));
  return { port, ask, log };
}

function outcome({ status, body }: RawAnswer): string {
  return status === 200 ? body : String(status);
}

/** Whether a request meets a rule. */
async function meets(t: TestContext, vars: readonly JsonValue[]) {
  const { ask } = await serveRoutes(t, { held: { vars: [...vars], priority: 1 }, other: {} });
  return async (request: RequestText | string): Promise<boolean> => (await ask(request)) === 'held';
}

test('every operator of vars decides, with lists in lists and turned round', async (t) => {
  const cases: readonly (readonly [rule: JsonValue[], fits: RequestText | string, other: RequestText | string])[] = [
    [[['arg_v', '==', '2']], '/?v=2', '/?v=3'],
    [[['arg_v', '~=', '2']], '/', '/?v=2'],
    [[['arg_age', '>', 18]], '/?age=19', '/?age=18'],
    [[['arg_age', '>=', 18]], '/?age=18', '/?age=x'],
    [[['arg_age', '<', 18]], '/?age=17.5', '/'],
    [[['arg_age', '<=', 18]], '/?age=18', '/?age=19'],
    [[['uri', '~~', '^/[a-z]+/\\d+$']], '/abc/7', '/abc/7x'],
    [[['http_x_kind', '~*', '^beta']], { headers: ['X-Kind: BETA-1'] }, { headers: ['X-Kind: alpha'] }],
    [[['cookie_group', 'in', ['a', 'b']]], { headers: ['Cookie: x=1; group=b'] }, { headers: ['Cookie: group=c'] }],
    [[['remote_addr', 'ipmatch', ['10.0.0.0/8', '127.0.0.1']]], '/', '/none'],
    [[['remote_addr', '!', 'ipmatch', '10.0.0.0/8']], '/', '/none'],
    [[['request_method', '!', '==', 'GET']], { method: 'POST' }, '/'],
    [['OR', ['arg_a', '1'], ['AND', ['arg_b', '1'], ['arg_c', '!', 'in', ['1']]]], '/?b=1', '/?b=1&c=1'],
    [['!AND', ['arg_a', '1'], ['arg_b', '1']], '/?a=1', '/?a=1&b=1'],
    [['!OR', ['arg_a', '1'], ['arg_b', '1']], '/', '/?b=1'],
    [[['post_arg_v', '==', '2']], form('v=2'), form('v=3')],
    [[['graphql_root_fields', 'has', 'owner']], graphql('{ owner { id } }'), graphql('{ other }')],
  ];
  for (const [rule, fits, other] of cases) {
    const answers = await meets(t, rule);
    assert.equal(await answers(fits), true, JSON.stringify(rule));
    if (other !== '/none') assert.equal(await answers(other), false, JSON.stringify(rule));
  }
});

function form(body: string): RequestText {
  return { method: 'POST', body, headers: ['Content-Type: application/x-www-form-urlencoded'] };
}

function graphql(body: string): RequestText {
  return { method: 'POST', body, headers: ['Content-Type: application/graphql'] };
}

test('a rule knows nothing that only a forged header says, and nobody’s name', async (t) => {
  const knows = await meets(t, ['OR', ['http_x_consumer_username', '~~', '.'], ['consumer_name', '~=', null], ['route_id', '~=', null]]);
  assert.equal(await knows({ headers: ['X-Consumer-Username: root', 'X_Consumer_Username: root'] }), false);
});

test('a route is for the addresses that it names, and others go on to the next', async (t) => {
  const { ask } = await serveRoutes(t, {
    far: { remote_addrs: ['10.0.0.0/8', '2001:db8::/32'], priority: 3 },
    one: { remote_addr: '127.0.0.1', priority: 2, methods: ['GET'] },
    many: { remote_addrs: ['::1', '127.0.0.0/8'], priority: 1 },
  });
  assert.equal(await ask('/'), 'one');
  assert.equal(await ask({ method: 'PUT' }), 'many');
  assert.equal(await ask({ headers: ['X-Forwarded-For: 10.1.1.1', 'X-Real-IP: 10.1.1.1'] }), 'one');
});

test('path parameters are variables of rules, of plugins, of the upstream’s request', async (t) => {
  const nodes = [{ host: '127.0.0.1', port: await startUpstream(t), weight: 1 }];
  const rewrite = { 'proxy-rewrite': { uri: '/u/$uri_param_id/$uri_param_rest', headers: { set: { 'X-Tenant': '$uri_param_tenant' } } } };
  const { ask } = await serveRoutes(
    t,
    {
      numbered: { paths: ['/users/:id'], vars: [['uri_param_id', '~~', '^\\d+$']] },
      named: { paths: ['/users/:name'], vars: [['uri_param_name', '~~', '^[a-z]+$']] },
      sent: { paths: ['/sent/:id/*rest'], plugins: rewrite },
      below: { paths: ['/all/*'], vars: [['uri_param_:ext', '==', 'a/b']] },
    },
    { path_prefix: '/:tenant', upstream: { nodes } },
  );
  assert.deepEqual(await Promise.all(['/t/users/7', '/t/users/jack', '/t/users/J', '/t/all/a/b', '/t/all/a'].map(ask)), [
    'numbered',
    'named',
    '404',
    'below',
    '404',
  ]);
  const { url, headers } = JSON.parse(await ask('/acme/sent/7/a/b?q=1'));
  assert.deepEqual([url, headers['x-tenant']], ['/u/7/a/b?q=1', 'acme']);
  const escaped = JSON.parse(await ask('/acme/sent/a%20b/x%0D%0AX:1'));
  assert.match(escaped.url, /^\/u\/a%20b\/x%0D%0AX:1$/i);
});

test('a prefix with parameters is taken off, whatever they stand for', async (t) => {
  const nodes = [{ host: '127.0.0.1', port: await startUpstream(t), weight: 1 }];
  const { ask } = await serveRoutes(t, { all: { paths: ['/*'], plugins: {} } }, { path_prefix: '/:tenant/v1', upstream: { nodes } });
  for (const [sent, forwarded] of [
    ['/acme/v1/x?a=1', '/x?a=1'],
    ['/a%20b/%761/x%20y', '/x%20y'],
    ['/acme/v1/', '/'],
    ['/v1/v1/v1/', '/v1/'],
  ] as const)
    assert.equal(JSON.parse(await ask(sent)).url, forwarded);
  assert.equal(await ask('/acme/v2/x'), '404');
});

test('a path with encoded slashes must lead to the same route by both readings, conditions and parameters included', async (t) => {
  const { ask } = await serveRoutes(t, {
    guarded: { vars: [['uri', '~~', '^/admin/']], priority: 1 },
    open: { paths: ['/*'] },
    named: { paths: ['/n/:name', '/n/:name/*'], vars: [['arg_on', '1']] },
    plain: { paths: ['/p/:name', '/p/:name/*'] },
    rest: { paths: ['/r/*name'], vars: [['arg_on', '1']] },
  });
  const paths = ['/admin%2Fx', '/x%2Fy', '/n/a%2Fb?on=1', '/n/a%2Fb', '/p/a%2Fb', '/p/a/b%2Fc', '/r/a%2Fb?on=1', '/r/a%2Fb', '/admin/%2F'];
  assert.deepEqual(await Promise.all(paths.map(ask)), ['400', 'open', '400', 'open', '400', 'plain', 'rest', 'open', 'guarded']);
});

test('more routes with conditions for one path than are kept are all asked, and those that need the body too', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [`r${index}`, { priority: -index, vars: [['arg_n', '==', `${index}`]] }]),
  );
  const { ask } = await serveRoutes(t, {
    ...many,
    late: { priority: -50, vars: [['post_arg_n', '==', 'body']] },
    last: { priority: -100 },
  });
  for (const [query, route] of [
    ['n=0', 'r0'],
    ['n=15', 'r15'],
    ['n=16', 'r16'],
    ['n=59', 'r59'],
    ['n=60', 'last'],
  ] as const) {
    assert.equal(await ask(`/?${query}`), route);
    assert.equal(await ask({ ...form('n=x'), target: `/?${query}` }), route);
  }
  assert.equal(await ask(form('n=body')), 'late');
});

test('a body decides once it is there, reaches the upstream, and a client that goes before leaves nothing behind', async (t) => {
  const nodes = [{ host: '127.0.0.1', port: await startUpstream(t), weight: 1 }];
  const { ask, port, log } = await serveRoutes(
    t,
    { held: { vars: [['post_arg.kind', '==', 'a']], priority: 1, plugins: {} }, other: { plugins: {} } },
    { upstream: { nodes } },
  );
  const json = (body: string): RequestText => ({ method: 'POST', body, headers: ['Content-Type: application/json'] });
  assert.equal(JSON.parse(await ask(json('{"kind":"a"}'))).body, '{"kind":"a"}');
  const long = `{"kind":"a","x":"${'y'.repeat(1_100_000)}"}`;
  assert.equal(JSON.parse(await ask(json(long))).body.length, long.length);
  assert.equal(JSON.parse(await ask({ ...json('{'), method: 'PUT' })).body, '{');
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.end('POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"kind"');
  socket.resume();
  await once(socket, 'close');
  assert.equal(JSON.parse(await ask(json('{"kind":"b"}'))).body, '{"kind":"b"}');
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  );
});

test('a rule that no gateway can serve is refused with its place', () => {
  const faults = (route: JsonObject): void => {
    createGateway({ routes: { r: { name: 'r', service_id: 's', paths: ['/'], ...route } } });
  };
  assert.throws(() => faults({ vars: [['uri', '~~', '(?=a)']] }), /"\/vars": failed to validate the 'vars' expression: invalid regular/);
  assert.throws(() => faults({ vars: ['x'] }), /"\/vars": failed to validate the 'vars' expression: rule should be wrapped/);
  assert.throws(() => faults({ paths: ['/ok', '/:id/:id'] }), /"\/paths\/1": two parameters of a path have the same name/);
});

/** One `/` and one `:name` more than the service's prefix has. */
const PATHS = ['/', '/a', '/a/*', '/*', '/:x', '/:x/b', '/a/:x', '/:x/*r', '/a/*m/b', '/ab*'];
const ID_COUNT = 6;

test('over random tables of routes, requests are decided as the naive matcher does, and lose the prefix', async (t) => {
  const route = fc.record({
    service: fc.nat(2),
    paths: fc.uniqueArray(fc.constantFrom(...PATHS), { minLength: 1, maxLength: 3 }),
    methods: fc.constantFrom(undefined, ['GET'], ['GET', 'POST'], ['PUT']),
    priority: fc.integer({ min: -1, max: 1 }),
    on: fc.constantFrom(undefined, '1', '2'),
  });
  const service = fc.record({
    hosts: fc.constantFrom(undefined, ['a.test'], ['*.test'], ['*.a.test', 'b.test'], ['a.test', '*t']),
    prefix: fc.constantFrom(undefined, '/a', '/p', '/:t', '/p/'),
    strip: fc.boolean(),
  });
  const request = fc.record({
    host: fc.constantFrom('a.test', 'b.test', 'x.a.test', 'A.TEST:80', 'other'),
    segments: fc.array(fc.constantFrom('a', 'b', 'p', 'ab', '%61', 'x%2Fb', '..', '.'), { maxLength: 4 }),
    slash: fc.constantFrom('', '/', '//'),
    method: fc.constantFrom('GET', 'POST', 'PUT', 'REPORT'),
    on: fc.constantFrom('', '?on=1', '?on=2'),
  });
  const port = await startUpstream(t);
  await fc.assert(
    fc.asyncProperty(
      fc.array(service, { minLength: 3, maxLength: 3 }),
      fc.array(route, { minLength: 1, maxLength: ID_COUNT }),
      fc.array(request, { minLength: 1, maxLength: 12 }),
      async (services, routes, requests) => {
        const upstream = { nodes: [{ host: '127.0.0.1', port, weight: 1 }] };
        const gateway = createGateway({
          services: Object.fromEntries(
            services.map(({ hosts, prefix, strip }, index) => [
              `s${index}`,
              { name: 's', ...where('hosts', hosts), ...where('path_prefix', prefix), strip_path_prefix: strip, upstream },
            ]),
          ),
          routes: Object.fromEntries(
            routes.map(({ service: index, paths, methods, priority, on }, id) => [
              `r${id}`,
              {
                ...{ name: 'r', service_id: `s${index}`, paths, priority, ...where('methods', methods) },
                ...where('vars', on === undefined ? undefined : [['arg_on', '==', on]]),
                plugins: { 'proxy-rewrite': { headers: { set: { 'X-Route': `r${id}` } } } },
              },
            ]),
          ),
        });
        try {
          const gatewayPort = await gateway.port();
          const table = routes.map(({ service: index, paths, methods, priority }, id): RoutableRoute<string> => {
            const { hosts = [], prefix = '' } = services[index] ?? {};
            const joined = paths.map((path) => prefix.replace(/\/$/, '') + path);
            return { id: `r${id}`, hosts, paths: joined, methods: methodMask(methods), priority, order: 0, conditional: true, value: '' };
          });
          const winner = (path: string, { host, method, on }: { host: string; method: string; on: string }) =>
            naiveMatches(table, { host: host.toLowerCase().replace(/:\d+$/, ''), path, method: methodBit(method) }).find((match) => {
              const wanted = routes[Number(match.route.id.slice(1))]?.on;
              return wanted === undefined || on === `?on=${wanted}`;
            });
          for (const each of requests) {
            const raw = `/${each.segments.join('/')}${each.slash}`;
            const answer = await sendRequest(gatewayPort, { ...each, target: raw + each.on });
            const expected = expectedOf(raw, (path) => winner(path, each));
            if (typeof expected === 'number') {
              assert.equal(answer.status, expected, raw);
              continue;
            }
            const { url, headers } = JSON.parse(answer.body);
            const { prefix = '', strip } = services[routes[Number(expected.id.slice(1))]?.service ?? 0] ?? {};
            const kept = strip ? expected.forwarded.replace(new RegExp(`^${patternOf(prefix)}(?=/|$)`), '') : expected.forwarded;
            assert.deepEqual([headers['x-route'], url], [expected.id, `${kept === '' ? '/' : kept}${each.on}`], raw);
          }
        } finally {
          await gateway.close();
        }
      },
    ),
    { numRuns: 150 },
  );
});

function where(name: string, value: JsonValue | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** The prefix as what it takes off a path that its upstream would get: `%61` is `a`. */
function patternOf(prefix: string): string {
  return prefix.replace(/\/$/, '').replaceAll('a', '(?:a|%61)').replace(/:t/, '[^/]+');
}

type Winner = ReturnType<typeof naiveMatches>[number] | undefined;

/** By the rules of paths, told once more: resolve dots, then match as data and as separator. */
function expectedOf(raw: string, winner: (path: string) => Winner): number | { readonly id: string; readonly forwarded: string } {
  const forwarded = resolved(raw);
  const asData = forwarded === undefined ? undefined : winner(forwarded.replaceAll('%61', 'a'));
  if (forwarded === undefined || resolved(raw.replaceAll('%2F', '/')) === undefined) return 400;
  if (forwarded.includes('%2F')) {
    const separated = resolved(forwarded.replaceAll('%2F', '/'));
    const other = separated === undefined ? undefined : winner(separated.replaceAll('%61', 'a'));
    if (asData?.route.id !== other?.route.id) return 400;
    const named = asData?.pattern.match(/(?<=\/:)\w+/g) ?? [];
    if (named.some((name) => asData?.values[name] !== other?.values[name])) return 400;
  }
  return asData === undefined ? 404 : { id: asData.route.id, forwarded };
}

/** Undefined where it climbs above the root. */
function resolved(raw: string): string | undefined {
  const kept: string[] = [];
  const parts = raw.split('/').slice(1);
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    if (part === '..' && kept.pop() === undefined) return undefined;
    if (part !== '' && part !== '.' && part !== '..') kept.push(part);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
