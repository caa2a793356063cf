import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import type { UsageEntry } from '../../distribution/gateway-side.ts';
import { identified } from './testing/identified.ts';
import { UsageCounter } from './usage-counter.ts';
import { UsageRows } from './usage-rows.ts';

const LIMITS = { entries: 64, textBytes: 4096 };
const ROUTE = { number: 7, id: 'route' };

/** All that is in a row, which is empty then. */
function takeOut(rows: UsageRows, row = 0): readonly UsageEntry[] {
  const found: UsageEntry[] = [];
  for (let half = 0; half < 2; half++) {
    assert.equal(rows.flip(row), true);
    found.push(...rows.read(row));
    rows.clear(row);
  }
  return found;
}

test('requests are told apart by credential, route and status, with the time of the last', () => {
  const rows = new UsageRows(2, LIMITS);
  const counter = new UsageCounter(rows.handles, 1);
  const [first, second] = [identified('jack', 'c1'), identified('jac', 'kc1')];
  counter.count(first, ROUTE, 200, 10);
  counter.count(first, ROUTE, 200, 12);
  counter.count(first, ROUTE, 200, 11);
  counter.count(first, ROUTE, 429, 13);
  counter.count(second, ROUTE, 200, 14);
  counter.count(identified('jack', ''), ROUTE, 200, 15);
  counter.count(undefined, undefined, 404, 16);
  counter.count({ username: 'x', customId: undefined, credentialId: 'y', labels: undefined }, ROUTE, 0, 17);
  const named = { consumer: 'jack', credential: 'c1', route: 'route' };
  assert.deepEqual(takeOut(rows, 1), [
    { ...named, status: 200, requests: 3, lastUsedAt: 12 },
    { ...named, status: 429, requests: 1, lastUsedAt: 13 },
    { ...named, consumer: 'jac', credential: 'kc1', status: 200, requests: 1, lastUsedAt: 14 },
    { ...named, credential: '', status: 200, requests: 1, lastUsedAt: 15 },
    { consumer: '', credential: '', route: '', status: 404, requests: 1, lastUsedAt: 16 },
    { consumer: '', credential: '', route: 'route', status: 0, requests: 1, lastUsedAt: 17 },
  ]);
  assert.deepEqual(takeOut(rows, 1), []);
});

test('what has no room is counted by the hundred of its status, and there is room again afterwards', () => {
  const rows = new UsageRows(1, LIMITS);
  const counter = new UsageCounter(rows.handles, 0);
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 100; index++) counter.count(identified('jack', `c${index}`), ROUTE, index % 2 === 0 ? 200 : 503, 1);
    const found = takeOut(rows);
    const others = found.filter(({ consumer }) => consumer === '*');
    assert.equal(found.length - others.length, LIMITS.entries);
    assert.deepEqual(
      others.map(({ credential, route, status, requests }) => [credential, route, status, requests]),
      [
        ['*', '*', 200, 18],
        ['*', '*', 500, 18],
      ],
    );
  }
  for (let index = 0; index < 100; index++) counter.count(identified('x'.repeat(500), `c${index}`), ROUTE, 200, 1);
  const long = takeOut(rows);
  assert.equal(
    long.reduce((sum, { requests }) => sum + requests, 0),
    100,
  );
  assert.ok(long.length < 12, String(long.length));
});

test('the table counts what a map counts, whatever comes, and whenever it is emptied', () => {
  const use = fc.record({
    consumer: fc.constantFrom('', 'a', 'ab', 'b'),
    credential: fc.constantFrom('', 'a', 'b', 'ba', 'c'.repeat(200)),
    route: fc.integer({ min: 0, max: 3 }),
    status: fc.constantFrom(0, 200, 404, 599),
    flips: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 400 }), (uses) => {
      const rows = new UsageRows(1, { entries: 512, textBytes: 200_000 });
      const counter = new UsageCounter(rows.handles, 0);
      const [expected, found] = [new Map<string, number>(), new Map<string, number>()];
      const add = (sums: Map<string, number>, key: string, more: number): void => void sums.set(key, (sums.get(key) ?? 0) + more);
      const empty = (): void => {
        for (const { consumer, credential, route, status, requests } of takeOut(rows))
          add(found, JSON.stringify([consumer, credential, route, status]), requests);
      };
      for (const { consumer, credential, route, status, flips } of uses) {
        const isNobody = consumer === '';
        const taken = route === 0 ? undefined : { number: route, id: `r${route}` };
        counter.count(isNobody ? undefined : identified(consumer, credential), taken, status, 1);
        add(expected, JSON.stringify([consumer, isNobody ? '' : credential, taken?.id ?? '', status]), 1);
        if (flips) empty();
      }
      empty();
      assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()));
    }),
    { numRuns: 60 },
  );
});

test('nothing is counted twice or lost while a thread counts and another empties', async () => {
  const rows = new UsageRows(1, { entries: 1024, textBytes: 65_536 });
  const worker = new Worker(new URL('./counting-usage.child.ts', import.meta.url), { workerData: { handles: rows.handles } });
  const ended = once(worker, 'exit');
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const sums = new Map<string, number>();
  const empty = (): void => {
    for (const { credential, requests } of rows.read(0)) sums.set(credential, (sums.get(credential) ?? 0) + requests);
    rows.clear(0);
  };
  while (!isOver) {
    if (rows.flip(0)) empty();
    else {
      while (!rows.isAtRest(0));
      empty();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  rows.flip(0);
  empty();
  assert.deepEqual([sums.size, new Set(sums.values())], [200, new Set([1000])]);
});

test('a worker that ended in the middle of a count keeps nobody from reading what it had counted', () => {
  const rows = new UsageRows(1, LIMITS);
  const counter = new UsageCounter(rows.handles, 0);
  counter.count(undefined, ROUTE, 200, 1);
  const failing = {
    get number(): number {
      throw new Error('ended');
    },
    id: '',
  };
  assert.throws(() => counter.count(undefined, failing, 200, 1));
  assert.equal(rows.flip(0), false);
  rows.endWriting(0);
  assert.equal(rows.isAtRest(0), true);
  assert.equal([...rows.read(0)].length, 1);
});
