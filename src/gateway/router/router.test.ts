import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchPathPattern, type PathPattern } from '../../lib/path-pattern.ts';
import { methodBit, methodMask } from './methods.ts';
import type { RoutableRequest, RoutableRoute } from './routable-route.ts';
import { Router } from './router.ts';
import { naiveMatches } from './testing/naive-matcher.ts';

type TestRoute = RoutableRoute<string>;

function route(id: string, paths: readonly string[], rest: Partial<TestRoute> = {}): TestRoute {
  return { id, paths, hosts: [], methods: 0, priority: 0, order: 0, conditional: false, value: id, ...rest };
}

function routerOf(...routes: readonly TestRoute[]): (path: string, host?: string, method?: string) => string | undefined {
  const router = new Router<string>();
  for (const each of routes) router.put(each);
  return (path, host = 'any.example', method = 'GET') => router.candidates({ path, host, method: methodBit(method) })[0]?.route.value;
}

function idsOf(router: Router<string>, request: RoutableRequest): readonly string[] {
  return router.candidates(request).map(({ route }) => route.value);
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
  assert.deepEqual(idsOf(router, { host: 'x.h', path: '/a', method: 1 }), ['a', 'b', 'c']);
  assert.deepEqual(idsOf(router, { host: 'y.h', path: '/b', method: 1 }), ['c']);
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

test('what stands before the first parameter decides, then priority, then the longer pattern', () => {
  const match = routerOf(
    route('id', ['/user/:id']),
    route('all', ['/user/*']),
    route('posts', ['/user/:id/posts']),
    route('deep', ['/user/:id/*rest'], { priority: -1 }),
    route('first', ['/user/7/*'], { priority: -9 }),
    route('exact', ['/user/8/posts'], { priority: -9 }),
    route('raised', ['/:kind/*'], { priority: 9 }),
  );
  assert.equal(match('/user/1'), 'id');
  assert.equal(match('/user/1/posts'), 'posts');
  assert.equal(match('/user/1/x'), 'all');
  assert.equal(match('/user/7/posts'), 'first');
  assert.equal(match('/user/8/posts'), 'exact');
  assert.equal(match('/other/1'), 'raised');
  assert.equal(match('/user/'), 'all');
  assert.equal(match('/user'), undefined);
});

test('a table of many patterns with the same beginning is not searched one by one, and gives back what it held', () => {
  const router = new Router<string>();
  for (let index = 0; index < 10_000; index++) router.put(route(`r${index}`, [`/:tenant/item-${index}/:id`], { conditional: true }));
  assert.deepEqual(idsOf(router, { host: 'h', path: '/t/item-77/1', method: 1 }), ['r77']);
  for (let index = 0; index < 10_000; index++) assert.ok(router.remove(`r${index}`));
  assert.deepEqual(idsOf(router, { host: 'h', path: '/t/item-77/1', method: 1 }), []);
});

test('under any sequence of changes the router decides as the naive matcher does', () => {
  const hosts = fc.uniqueArray(fc.constantFrom('a.b.c', 'b.c', '*.b.c', '*.c', '*b.c', '*c'), { maxLength: 2 });
  const plain = ['/', '/a', '/a/', '/a/b', '/*', '/a*', '/a/*', '/a/b*', '/ab', '/ab*', '/a/b/*'];
  const segments = [
    '/:x',
    '/:x/',
    '/:x/b',
    '/a/:x',
    '/:x/:y',
    '/:x/*r',
    '/a/:x/*',
    '/:x/b*',
    '/*m/b',
    '/a/*m/:y',
    '/:x/b/:y',
    '/*r',
    '/:xy/b',
  ];
  const paths = fc.uniqueArray(fc.constantFrom(...plain, ...segments), { minLength: 1, maxLength: 3 });
  const ids = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7'];
  const anyRoute: fc.Arbitrary<TestRoute> = fc
    .record({
      id: fc.constantFrom(...ids),
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
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
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
      for (const host of ['a.b.c', 'x.c', 'xb.c', 'other']) {
        for (const path of ['/', '/a', '/a/', '/a/b', '/ab', '/abc', '/a/b/c', '/x', '/x/b', '/a/x/b']) {
          const request = { host, path, method: 1 + (path.length % 2) };
          const all = naiveMatches(expected.values(), request);
          const last = all.findIndex((match) => !match.route.conditional);
          const found = router.candidates(request).map(({ route, pattern }) => [route.id, pattern.text, valuesIn(pattern, path)]);
          assert.deepEqual(
            found,
            (last === -1 ? all : all.slice(0, last + 1)).map((match) => [match.route.id, match.pattern, match.values]),
          );
        }
      }
      for (const id of ids) router.remove(id);
      assert.deepEqual(router.candidates({ host: 'a.b.c', path: '/a/b', method: 1 }), []);
    }),
    { numRuns: 2000 },
  );
});

/** Without that of a wildcard that has no name. */
function valuesIn(pattern: PathPattern, path: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...(matchPathPattern(pattern, path) ?? [['', 'no match']])].filter(([name]) => name !== ':ext'));
}

test('changing one route among ten thousand leaves the others alone and takes no time that grows with their number', () => {
  const router = new Router<string>();
  for (let index = 0; index < 10_000; index++)
    router.put(route(`r${index}`, [`/service-${index % 100}/item-${index}/*`], { hosts: index % 3 === 0 ? [`h${index}.example`] : [] }));
  const before = process.threadCpuUsage();
  for (let count = 0; count < 1000; count++) router.put(route('r5', [`/service-5/changed-${count}/*`]));
  const { user, system } = process.threadCpuUsage(before);
  assert.ok(user + system < 1_000_000, 'a thousand changes take less than a second of this thread');
  assert.equal(idsOf(router, { host: 'x', path: '/service-5/changed-999/y', method: 1 })[0], 'r5');
  assert.equal(idsOf(router, { host: 'x', path: '/service-5/changed-998/y', method: 1 })[0], undefined);
  assert.equal(idsOf(router, { host: 'h9.example', path: '/service-9/item-9/y', method: 1 })[0], 'r9');
  for (let index = 0; index < 10_000; index++) assert.ok(router.remove(`r${index}`));
  assert.equal(idsOf(router, { host: 'h9.example', path: '/service-9/item-9/y', method: 1 })[0], undefined);
});
