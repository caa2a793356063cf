import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldText } from '../lists/fold-text.ts';
import type { ListOrder, ListPart, ResourceSelection, ResourceWrite, Store, StoreReader } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, consumerWrite, credentialWrite, idsOf, keyOf, putAll, remove, routeWrite, serviceWrite } from './sample-writes.ts';

/** A service as the naive model holds it, in an array that is in the order of creation. */
interface ModelService {
  readonly id: string;
  readonly name: string;
  readonly desc: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts all writes. */
  readonly writtenAt: number;
}

type Condition = Partial<Pick<ResourceSelection, 'labels' | 'labelNames' | 'search'>>;

const SERVICES = { groupId: 'default', kind: 'service' };
const ORDERS: readonly ListOrder[] = ['updated', 'created', 'name'];
const DIRECTIONS = ['ascending', 'descending'] as const;

/** Lists: their order, their parts, what narrows them. */
export function listContract(makeDatabase: MakeDatabase): void {
  test('a list is what a naive filter, sort and slice give, for any names and labels, and after any writes and deletes', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('Aa', 'aA', 'ΣΑΣ', 'straße', 'İ', 'z\u0000z', '\ud800x'),
    );
    const labels = fc.dictionary(fc.constantFrom('a', 'b', '"', '__proto'), fc.constantFrom('1', '2', 'ä'), { maxKeys: 3 });
    const step = fc.record({ id: fc.integer({ min: 0, max: 12 }), name: text, desc: text, labels, isDelete: fc.boolean() });
    const condition: fc.Arbitrary<Condition> = fc.oneof(
      fc.constant({}),
      labels.map((wanted) => ({ labels: new Map(Object.entries(wanted)) })),
      text.map((search) => ({ search })),
      fc.record({ search: fc.constantFrom('a', 'Σ', 's'), labelNames: fc.subarray(['a', 'b', '"']) }),
    );
    let model: ModelService[] = [];
    let writes = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), condition, fc.integer({ min: 1, max: 5 }), async (steps, wanted, limit) => {
        await store.transaction(AUTHOR, async (transaction) => {
          for (const { id: number, name, desc, labels: own, isDelete } of steps) {
            const id = `s${number}`;
            const at = model.findIndex((service) => service.id === id);
            if (isDelete) {
              await transaction.deleteResource(keyOf('service', id));
              model = model.filter((service) => service.id !== id);
              continue;
            }
            writes += 1;
            const written = { id, name, desc, labels: own, writtenAt: writes };
            model = at < 0 ? [...model, written] : model.with(at, written);
            await transaction.putResource(serviceWrite(id, { name, desc, labels: own }));
          }
          await assertListed(transaction, model, wanted, limit);
        });
        await assertListed(store, model, wanted, limit);
      }),
      { numRuns: 60 },
    );
  });

  test('every page and every cursor of a long list lead to the right place, while it grows, is rewritten and shrinks', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const count = 2_600;
    const write = (number: number, round: number): ResourceWrite =>
      serviceWrite(`s${number}`, {
        name: `n${(number * 7919) % 2_603}`,
        labels: { half: number % 2 === 0 ? 'even' : 'odd', round: `${round}` },
      });
    const numbers = Array.from({ length: count }, (_, number) => number);
    await putAll(store, ...numbers.map((number) => write(number, 0)));
    await assertPages(store, count);
    const again = numbers.map((number) => (number * 31) % count).slice(0, 1_900);
    await putAll(store, ...again.map((number) => write(number, 1)));
    await assertPages(store, count);
    await store.transaction(AUTHOR, async (transaction) => {
      for (const number of numbers.filter((each) => each % 5 !== 0 && each < 2_300))
        await transaction.deleteResource(keyOf('service', `s${number}`));
    });
    await assertPages(store, 760);
    await store.transaction(AUTHOR, async (transaction) => {
      for (const number of numbers) await transaction.deleteResource(keyOf('service', `s${number}`));
    });
    await assertPages(store, 0);
  });

  test('a cursor of a search goes on where it was given, though what was found before is no longer true', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...['a', 'b', 'c', 'd', 'e'].map((id) => serviceWrite(id, { name: `x${id}` })));
    const list = { ...SERVICES, search: 'X', order: 'created', direction: 'ascending' } as const;
    const idsAt = async (part: ListPart) => {
      const selected = await store.selectResources({ ...list, part });
      return { ids: idsOf(await store.resourcesAt(SERVICES, selected.rows)), total: selected.total, next: selected.next };
    };
    const first = await idsAt(page(0, 2));
    assert.deepEqual([first.ids, first.total], [['a', 'b'], 5]);
    await remove(store, keyOf('service', 'b'));
    await putAll(store, serviceWrite('c', { name: 'other' }), serviceWrite('f', { name: 'xf' }));
    const after = { kind: 'after', cursor: first.next ?? '', limit: 2 } as const;
    const second = await idsAt(after);
    assert.deepEqual([second.ids, second.total, second.next === undefined], [['d', 'e'], 4, false]);
    assert.deepEqual(await idsAt({ ...after, cursor: second.next ?? '' }), { ids: ['f'], total: 4, next: undefined });
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('g', { name: 'xg' }));
      assert.equal((await transaction.selectResources(list)).total, 5);
      assert.equal((await store.selectResources(list)).total, 4);
    });
    assert.equal((await store.selectResources(list)).total, 5);
  });

  test('a cursor goes on where it was given, whatever was deleted or written meanwhile', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...['a', 'b', 'c', 'd', 'e'].map((id) => serviceWrite(id)));
    const first = await store.selectResources({ ...SERVICES, order: 'created', direction: 'ascending', part: page(0, 2) });
    await remove(store, keyOf('service', 'b'));
    await remove(store, keyOf('service', 'c'));
    await putAll(store, serviceWrite('a'), serviceWrite('f'));
    assert.ok(first.next !== undefined);
    const part = { kind: 'after', cursor: first.next, limit: 2 } as const;
    const second = await store.selectResources({ ...SERVICES, order: 'created', direction: 'ascending', part });
    assert.deepEqual(idsOf(await store.resourcesAt(SERVICES, second.rows)), ['d', 'e']);
    assert.deepEqual([second.total, second.next === undefined], [4, false]);
    for (const cursor of ['', 'x', '!!', `${first.next}=`, Buffer.from('0\0').toString('base64url')]) {
      await assert.rejects(
        store.selectResources({ ...SERVICES, order: 'created', direction: 'ascending', part: { ...part, cursor } }),
        { reason: 'admin_invalid' },
        cursor,
      );
    }
    await assert.rejects(store.selectResources({ ...SERVICES, order: 'name', direction: 'ascending', part }), { reason: 'admin_invalid' });
  });

  test('lists are of one group, one kind and, when asked, one owner; what was deleted with its owner is in none', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: '' }));
    await putAll(store, serviceWrite('s'), serviceWrite('t'), routeWrite('r1', 's'), routeWrite('r2', 't'), routeWrite('r3', 's'));
    await putAll(store, serviceWrite('s', { name: 's' }, 'other'), consumerWrite('s'), credentialWrite('s', 'c', 'secret-key'));
    const ids = async (selection: Partial<ResourceSelection>) => {
      const list = { groupId: 'default', kind: 'route', ...selection };
      const selected = await store.selectResources({ order: 'updated', direction: 'descending', ...list });
      const found = idsOf(await store.resourcesAt(list, selected.rows));
      assert.equal(selected.total, found.length);
      return found;
    };
    assert.deepEqual(await ids({}), ['r3', 'r2', 'r1']);
    assert.deepEqual(await ids({ owner: { kind: 'service', id: 's' } }), ['r3', 'r1']);
    assert.deepEqual(await ids({ owner: { kind: 'consumer', id: 's' } }), []);
    assert.deepEqual(await ids({ kind: 'credential', owner: { kind: 'consumer', id: 's' } }), ['c']);
    assert.deepEqual(await ids({ kind: 'service', groupId: 'other' }), ['s']);
    assert.deepEqual(await ids({ groupId: 'none' }), []);
    assert.deepEqual(await ids({ kind: 'credential', search: 'secret' }), []);
    await putAll(store, routeWrite('r1', 't'));
    assert.deepEqual(await ids({ owner: { kind: 'service', id: 't' } }), ['r1', 'r2']);
    await remove(store, keyOf('service', 't'));
    assert.deepEqual(await ids({}), ['r3']);
    assert.deepEqual(await ids({ owner: { kind: 'service', id: 't' } }), []);
  });

  test('a transaction that fails leaves its lists as they were', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('a', { labels: { x: 'y' } }));
    const failing = store.transaction(AUTHOR, async (transaction) => {
      await transaction.putResource(serviceWrite('b', { labels: { x: 'y' } }));
      await transaction.deleteResource(keyOf('service', 'a'));
      throw new Error('for the test');
    });
    await assert.rejects(failing, /for the test/);
    const selection = { ...SERVICES, labels: new Map([['x', 'y']]), order: 'updated', direction: 'descending' } as const;
    const selected = await store.selectResources(selection);
    assert.deepEqual(idsOf(await store.resourcesAt(SERVICES, selected.rows)), ['a']);
  });
}

function page(offset: number, limit: number): ListPart {
  return { kind: 'page', offset, limit };
}

async function assertListed(store: StoreReader, model: readonly ModelService[], condition: Condition, limit: number): Promise<void> {
  const search = condition.search === undefined ? '' : foldText(condition.search);
  const matching = model.filter(
    ({ id, name, desc, labels }) =>
      [...(condition.labels ?? [])].every(([label, value]) => labels[label] === value) &&
      (condition.labelNames ?? []).every((label) => Object.hasOwn(labels, label)) &&
      [id, name, desc].some((text) => foldText(text).includes(search)),
  );
  for (const order of ORDERS) {
    for (const direction of DIRECTIONS) {
      const expected = sorted(matching, order, direction);
      const selection = { ...SERVICES, ...condition, order, direction };
      const all = await store.selectResources(selection);
      assert.deepEqual([idsOf(await store.resourcesAt(SERVICES, all.rows)), all.total], [expected, expected.length]);
      const { rows, places } = await store.selectResources({ ...selection, withPlaces: true });
      assert.deepEqual(rows, all.rows);
      for (const index of rows.keys()) assert.equal(places?.firstBehind(places.cursorAt(index)), index + 1);
      for (let offset = 0; offset <= expected.length; offset += limit) {
        const part = await store.selectResources({ ...selection, part: page(offset, limit) });
        assert.deepEqual(idsOf(await store.resourcesAt(SERVICES, part.rows)), expected.slice(offset, offset + limit));
        assert.equal(part.total, expected.length);
        assert.equal(part.next !== undefined, offset + limit < expected.length);
        if (part.next === undefined) continue;
        assert.equal(part.next, places?.cursorAt(offset + limit - 1));
        const after = await store.selectResources({ ...selection, part: { kind: 'after', cursor: part.next, limit } });
        assert.deepEqual(idsOf(await store.resourcesAt(SERVICES, after.rows)), expected.slice(offset + limit, offset + 2 * limit));
      }
    }
  }
}

function sorted(services: readonly ModelService[], order: ListOrder, direction: 'ascending' | 'descending'): readonly string[] {
  const ordered = [...services];
  if (order === 'updated') ordered.sort((a, b) => a.writtenAt - b.writtenAt);
  if (order === 'name') ordered.sort((a, b) => Buffer.compare(Buffer.from(foldText(a.name)), Buffer.from(foldText(b.name))));
  if (direction === 'descending') ordered.reverse();
  return ordered.map(({ id }) => id);
}

/** Compares pages and cursors of a list with the whole of it, in each order. */
async function assertPages(store: Store, total: number): Promise<void> {
  const both = new Map(Object.entries({ half: 'even', round: '1' }));
  for (const labels of [new Map<string, string>(), new Map([['half', 'even']]), both]) {
    for (const order of ORDERS) {
      for (const direction of DIRECTIONS) {
        const selection = { ...SERVICES, labels, order, direction };
        const all = await store.selectResources(selection);
        if (labels.size === 0) assert.equal(all.total, total);
        assert.equal(all.rows.length, all.total);
        for (const offset of [0, 1, 511, 512, 513, 1_024, Math.floor(all.total / 2), all.total - 3, all.total - 1, all.total, 1e15]) {
          if (offset < 0) continue;
          const part = await store.selectResources({ ...selection, part: page(offset, 3) });
          assert.deepEqual(part.rows, all.rows.slice(offset, offset + 3), `${order} ${direction} from ${offset}`);
          if (part.next === undefined) continue;
          const after = await store.selectResources({ ...selection, part: { kind: 'after', cursor: part.next, limit: 3 } });
          assert.deepEqual(after.rows, all.rows.slice(offset + 3, offset + 6));
        }
      }
    }
  }
}
