import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { methodBit, methodMask } from './methods.ts';
import type { RoutableRequest, RoutableRoute } from './routable-route.ts';
import { Router } from './router.ts';

type TestRoute = RoutableRoute<string>;

function route(id: string, paths: readonly string[], rest: Partial<TestRoute> = {}): TestRoute {
  return { id, paths, hosts: [], methods: 0, priority: 0, order: 0, conditional: false, value: id, ...rest };
}

function routerOf(...routes: readonly TestRoute[]): (path: string, host?: string, method?: string) => string | undefined {
  const router = new Router<string>();
  for (const each of routes) router.put(each);
  return (path, host = 'any.example', method = 'GET') => router.candidates({ path, host, method: methodBit(method) })[0];
}

test('an exact path beats any prefix and a longer prefix a shorter one, as in API7’s example', () => {
  const match = routerOf(
    route('1', ['/blog/foo/*']),
    route('2', ['/blog/foo/a/*']),
    route('3', ['/blog/foo/c/*']),
    route('4', ['/blog/foo/bar']),
  );
  assert.equal(match('/blog/foo/bar'), '4');
  assert.equal(match('/blog/foo/a/b/c'), '2');
  assert.equal(match('/blog/foo/gloo'), '1');
  assert.equal(match('/blog/bar'), undefined);
});

test('a prefix matches what begins with it, the bare prefix included', () => {
  const match = routerOf(route('slash', ['/foo/*']), route('bare', ['/bar*']), route('exact', ['/exact']));
  assert.deepEqual(
    ['/foo', '/foo/', '/foo/x', '/foox'].map((path) => match(path)),
    [undefined, 'slash', 'slash', undefined],
  );
  assert.deepEqual(
    ['/bar', '/barx', '/bar/x', '/ba'].map((path) => match(path)),
    ['bare', 'bare', 'bare', undefined],
  );
  assert.deepEqual(
    ['/exact', '/exact/', '/Exact'].map((path) => match(path)),
    ['exact', undefined, undefined],
  );
});

test('priority decides among equal paths only, then order, then id', () => {
  const match = routerOf(
    route('low', ['/a*'], { order: 1 }),
    route('high', ['/a*'], { priority: 5, order: 2 }),
    route('longer', ['/ab*'], { priority: -1 }),
    route('exact', ['/abc'], { priority: -9 }),
    route('y', ['/tie'], { order: 1 }),
    route('x', ['/tie'], { order: 1 }),
    route('z', ['/tie'], { order: 0 }),
  );
  assert.equal(match('/a'), 'high');
  assert.equal(match('/ab'), 'longer');
  assert.equal(match('/abc'), 'exact');
  assert.equal(match('/tie'), 'z');
  assert.equal(routerOf(route('y', ['/tie']), route('x', ['/tie']))('/tie'), 'x');
});

test('an exact host beats a wildcard, a longer wildcard a shorter one, any host a route without', () => {
  const match = routerOf(
    route('none', ['/very/long/path']),
    route('exact', ['/*'], { hosts: ['a.b.example'] }),
    route('long', ['/*'], { hosts: ['*.b.example'] }),
    route('short', ['/*'], { hosts: ['*.example'] }),
  );
  assert.equal(match('/very/long/path', 'a.b.example'), 'exact');
  assert.equal(match('/very/long/path', 'x.b.example'), 'long');
  assert.equal(match('/very/long/path', 'x.y.b.example'), 'long');
  assert.equal(match('/very/long/path', 'b.example'), 'short');
  assert.equal(match('/very/long/path', 'example'), 'none');
  assert.equal(match('/very/long/path', 'x.other'), 'none');
  assert.equal(match('/else', 'x.other'), undefined);
});

test('a wildcard without a dot stands for any beginning, the empty one too', () => {
  const match = routerOf(route('w', ['/'], { hosts: ['*foo.example'] }));
  assert.deepEqual(
    ['foo.example', 'a-foo.example', 'a.foo.example', 'oo.example'].map((host) => match('/', host)),
    ['w', 'w', 'w', undefined],
  );
});

test('a candidate that fails goes to the next path, the next host, and at last to routes without host', () => {
  const match = routerOf(
    route('exact', ['/a/b'], { hosts: ['h.example'], methods: methodMask(['PUT']) }),
    route('prefix', ['/a/*'], { hosts: ['h.example'], methods: methodMask(['POST']) }),
    route('wildcard', ['/*'], { hosts: ['*.example'], methods: methodMask(['DELETE', 'HEAD']) }),
    route('none', ['/a/b'], { methods: methodMask(['GET']) }),
  );
  const methods = ['PUT', 'POST', 'DELETE', 'HEAD', 'GET', 'PATCH'];
  assert.deepEqual(
    methods.map((method) => match('/a/b', 'h.example', method)),
    ['exact', 'prefix', 'wildcard', 'wildcard', 'none', undefined],
  );
});

test('a method that routes cannot name fits only routes that name none', () => {
  const match = routerOf(
    route('get', ['/a'], { methods: methodMask(['GET', 'BREW']) }),
    route('odd', ['/b'], { methods: methodMask(['BREW']) }),
    route('all', ['/*']),
  );
  assert.equal(match('/a', undefined, 'BREW'), 'all');
  assert.equal(match('/a', undefined, 'get'), 'all');
  assert.equal(match('/b', undefined, 'GET'), 'all');
  assert.equal(routerOf(route('get', ['/a'], { methods: methodMask(['GET']) }))('/a', undefined, 'BREW'), undefined);
});

test('candidates come in order of decision and end with the first that has no conditions', () => {
  const router = new Router<string>();
  router.put(route('d', ['/*'], { priority: -1 }));
  router.put(route('c', ['/*']));
  router.put(route('b', ['/a*'], { hosts: ['*.h'], conditional: true }));
  router.put(route('a', ['/a'], { hosts: ['x.h'], conditional: true }));
  assert.deepEqual(router.candidates({ host: 'x.h', path: '/a', method: 1 }), ['a', 'b', 'c']);
  assert.deepEqual(router.candidates({ host: 'y.h', path: '/b', method: 1 }), ['c']);
});

test('configured paths are compared by their UTF-8 bytes, hosts without regard to case', () => {
  const match = routerOf(route('é', ['/caf\u00e9/*'], { hosts: ['EXAMPLE.com'] }));
  assert.equal(match('/caf\xc3\xa9/x', 'example.com'), 'é');
  assert.equal(match('/caf\u00e9/x', 'example.com'), undefined);
});

test('names of object members are names like others', () => {
  const match = routerOf(route('__proto__', ['/__proto__'], { hosts: ['constructor'] }));
  assert.equal(match('/__proto__', 'constructor'), '__proto__');
  assert.equal(match('/toString', '__proto__'), undefined);
});

/** Tells the order of decision in another way: rank every fitting (host, path) pair of every route, take the best. */
function naiveMatch(routes: Iterable<TestRoute>, request: RoutableRequest, accepted: (id: string) => boolean): string | undefined {
  const ranked = [...routes]
    .filter((each) => (each.methods === 0 || (each.methods & request.method) !== 0) && accepted(each.id))
    .flatMap((each) =>
      (each.hosts.length === 0 ? [undefined] : each.hosts).flatMap((host) =>
        each.paths.map((path) => ({ each, host: rankOfHost(host, request.host), path: rankOfPattern(path, request.path) })),
      ),
    )
    .filter(({ host, path }) => host >= 0 && path >= 0);
  ranked.sort(
    (one, other) =>
      other.host - one.host ||
      other.path - one.path ||
      other.each.priority - one.each.priority ||
      one.each.order - other.each.order ||
      (one.each.id < other.each.id ? -1 : 1),
  );
  return ranked[0]?.each.id;
}

function rankOfHost(pattern: string | undefined, host: string): number {
  if (pattern === undefined) return 0;
  if (!pattern.startsWith('*')) return pattern === host ? 10_000 : -1;
  return host.endsWith(pattern.slice(1)) ? pattern.length : -1;
}

function rankOfPattern(pattern: string, path: string): number {
  if (!pattern.endsWith('*')) return pattern === path ? 10_000 : -1;
  return path.startsWith(pattern.slice(0, -1)) ? pattern.length : -1;
}

test('under any sequence of changes the router decides as the naive matcher does', () => {
  const hosts = fc.uniqueArray(fc.constantFrom('a.b.c', 'b.c', '*.b.c', '*.c', '*b.c', '*c'), { maxLength: 2 });
  const paths = fc.uniqueArray(fc.constantFrom('/', '/a', '/a/', '/a/b', '/*', '/a*', '/a/*', '/a/b*', '/ab', '/ab*', '/a/b/*'), {
    minLength: 1,
    maxLength: 3,
  });
  const anyRoute: fc.Arbitrary<TestRoute> = fc
    .record({
      id: fc.constantFrom('r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7'),
      hosts,
      paths,
      methods: fc.constantFrom(0, 0, 1, 2, 3),
      priority: fc.integer({ min: -1, max: 1 }),
      order: fc.integer({ min: 0, max: 2 }),
      conditional: fc.boolean(),
    })
    .map((route) => ({ ...route, value: route.id }));
  const change = fc.oneof({ weight: 4, arbitrary: anyRoute }, fc.constantFrom('r0', 'r1', 'r2', 'r3'));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.subarray(['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7']), (changes, accepted) => {
      const router = new Router<string>();
      const expected = new Map<string, TestRoute>();
      for (const each of changes) {
        if (typeof each === 'string') assert.equal(router.remove(each), expected.delete(each));
        else {
          router.put(each);
          expected.set(each.id, each);
        }
      }
      assert.equal(router.size, expected.size);
      for (const host of ['a.b.c', 'b.c', 'x.c', 'c', 'xb.c', 'other']) {
        for (const path of ['/', '/a', '/a/', '/a/b', '/ab', '/abc', '/a/b/c', '/x']) {
          const request = { host, path, method: 1 + (path.length % 2) };
          const found = router.candidates(request);
          const accepts = (id: string): boolean => expected.get(id)?.conditional === false || accepted.includes(id);
          assert.equal(found.find(accepts), naiveMatch(expected.values(), request, accepts));
          const last = found.findIndex((id) => expected.get(id)?.conditional === false);
          assert.ok(last === -1 || last === found.length - 1);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('changing one route among ten thousand leaves the others alone and takes no time that grows with their number', () => {
  const router = new Router<string>();
  for (let index = 0; index < 10_000; index++)
    router.put(route(`r${index}`, [`/service-${index % 100}/item-${index}/*`], { hosts: index % 3 === 0 ? [`h${index}.example`] : [] }));
  const startedAtMs = performance.now();
  for (let count = 0; count < 1000; count++) router.put(route('r5', [`/service-5/changed-${count}/*`]));
  assert.ok(performance.now() - startedAtMs < 1000);
  assert.equal(router.candidates({ host: 'x', path: '/service-5/changed-999/y', method: 1 })[0], 'r5');
  assert.equal(router.candidates({ host: 'x', path: '/service-5/changed-998/y', method: 1 })[0], undefined);
  assert.equal(router.candidates({ host: 'h9.example', path: '/service-9/item-9/y', method: 1 })[0], 'r9');
  for (let index = 0; index < 10_000; index++) assert.ok(router.remove(`r${index}`));
  assert.equal(router.candidates({ host: 'h9.example', path: '/service-9/item-9/y', method: 1 })[0], undefined);
});
