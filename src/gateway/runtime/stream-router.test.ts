import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { networkList } from '../../lib/network-list.ts';
import { type RoutableStream, type RoutableStreamRoute, StreamRouter } from './stream-router.ts';

type TestRoute = RoutableStreamRoute<string>;

const ANYTHING = { serverName: undefined, serverPort: undefined, serverAddress: undefined, remoteAddress: undefined };

function streamOf(more: Partial<RoutableStream> & { readonly local?: string }): RoutableStream {
  const { local, ...rest } = more;
  return { transport: 'tcp', localPort: 1, localAddress: () => local, remoteAddress: '10.1.2.3', serverName: undefined, ...rest };
}

/** Tells the order of decision in another way: ranks all that fit. */
function naiveMatch(routes: Iterable<TestRoute>, stream: RoutableStream): string | undefined {
  const ranked = [...routes]
    .map((route) => ({ id: route.id, ranks: ranksOf(route, stream) }))
    .filter(({ ranks }) => ranks.every((rank) => rank >= 0))
    .sort((one, other) => {
      const place = one.ranks.findIndex((rank, index) => rank !== other.ranks[index]);
      return place === -1 ? (one.id < other.id ? -1 : 1) : (other.ranks[place] ?? 0) - (one.ranks[place] ?? 0);
    });
  return ranked[0]?.id;
}

/** By name, port, own address and network of clients; -1 where the route does not fit. */
function ranksOf({ transport, condition }: TestRoute, stream: RoutableStream): readonly number[] {
  const { serverName, serverPort, serverAddress, remoteAddress } = condition;
  const ofWhole = (wanted: unknown, is: unknown): number => (wanted === undefined ? 0 : wanted === is ? 1 : -1);
  const bits = remoteAddress === undefined ? 0 : Number(remoteAddress.split('/')[1] ?? 32) + 1;
  return [
    transport === stream.transport ? 0 : -1,
    nameRank(serverName, stream.serverName),
    ofWhole(serverPort, stream.localPort),
    ofWhole(serverAddress, stream.localAddress()),
    remoteAddress === undefined || networkList([remoteAddress])?.has(stream.remoteAddress) ? bits : -1,
  ];
}

function nameRank(pattern: string | undefined, name: string | undefined): number {
  if (pattern === undefined) return 0;
  if (name === undefined) return -1;
  if (!pattern.startsWith('*')) return pattern === name ? 1000 : -1;
  return name.length >= pattern.length && name.endsWith(pattern.slice(1)) ? pattern.length : -1;
}

test('under any sequence of changes the router decides as the naive matcher does', () => {
  const maybe = <Value>(...values: Value[]): fc.Arbitrary<Value | undefined> => fc.constantFrom(undefined, ...values);
  const ids = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7'];
  const anyRoute: fc.Arbitrary<TestRoute> = fc
    .record({
      id: fc.constantFrom(...ids),
      transport: fc.constantFrom('tcp' as const, 'udp' as const),
      serverName: maybe('a.b.c', 'b.c', '*.b.c', '*.c', '*b.c'),
      serverPort: maybe(1, 2),
      serverAddress: maybe('10.0.0.1'),
      remoteAddress: maybe('10.0.0.0/8', '10.1.2.0/24', '10.1.2.3', '192.168.0.0/16'),
    })
    .map(({ id, transport, ...condition }) => ({ id, transport, condition, value: id }));
  const streams = ['a.b.c', 'b.c', 'x.b.c', 'ab.c', 'c', undefined].flatMap((serverName) =>
    [1, 3].flatMap((localPort) =>
      ['10.0.0.1', undefined].flatMap((local) =>
        ['10.1.2.3', '10.9.9.9', '172.16.0.1'].map((remoteAddress) =>
          streamOf({ serverName, localPort, remoteAddress, ...(local && { local }) }),
        ),
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: anyRoute }, fc.constantFrom(...ids)), { maxLength: 30 }), (changes) => {
      const router = new StreamRouter<string>();
      const expected = new Map<string, TestRoute>();
      for (const each of changes) {
        if (typeof each === 'string') {
          router.remove(each);
          expected.delete(each);
        } else {
          router.put(each);
          expected.set(each.id, each);
        }
      }
      for (const stream of streams) assert.equal(router.match(stream), naiveMatch(expected.values(), stream));
      for (const id of ids) router.remove(id);
      for (const stream of streams) assert.equal(router.match(stream), undefined);
    }),
    { numRuns: 500 },
  );
});

test('of ten thousand routes on a port a connection asks those of its name alone', () => {
  const router = new StreamRouter<string>();
  for (let index = 0; index < 10_000; index++) {
    const condition = { ...ANYTHING, serverName: `h${index}.test`, serverPort: 1, serverAddress: '10.0.0.9' };
    router.put({ id: `r${index}`, transport: 'tcp', condition, value: `r${index}` });
  }
  router.put({ id: 'rest', transport: 'tcp', condition: { ...ANYTHING, serverName: '*.test' }, value: 'rest' });
  let asked = 0;
  const localAddress = (): string => {
    asked++;
    return '10.0.0.1';
  };
  assert.equal(router.match(streamOf({ serverName: 'h7777.test', localAddress })), 'rest');
  assert.equal(asked, 1);
  assert.equal(router.match(streamOf({ serverName: 'h7777.test', local: '10.0.0.9' })), 'r7777');
});
