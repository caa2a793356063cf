import assert from 'node:assert/strict';
import test from 'node:test';
import type { UsageReport } from '../../distribution/index.ts';
import { UsageBook } from './usage-book.ts';

const NAME = { groupId: 'default', instanceId: 'one' };
const NOW = 1_800_000_100;
const HOUR = NOW - (NOW % 3600);

function report(sequence: number, entries: UsageReport['entries'], epoch = 'a1'): UsageReport {
  return { epoch, sequence, entries };
}

test('what instances tell is added up by the hour of its last use, and never lies in the future or long ago', () => {
  const book = new UsageBook();
  book.take(NAME, report(1, [['jack', 'c', 'r', 200, 2, NOW - 5]]), NOW);
  book.take({ ...NAME, instanceId: 'two' }, report(1, [['jack', 'c', 'r', 200, 3, NOW + 999_999]]), NOW);
  book.take(NAME, report(2, [['jack', 'c', 'r', 200, 4, 17]]), NOW);
  book.take({ ...NAME, groupId: 'other' }, report(1, [['jack', 'c', 'r', 200, 5, NOW]]), NOW);
  const row = { groupId: 'default', consumer: 'jack', credential: 'c', route: 'r', status: 200 };
  assert.deepEqual(book.takeOut(), [
    { ...row, requests: 5, lastUsedAt: NOW, at: HOUR, instanceId: 'two' },
    { ...row, requests: 4, lastUsedAt: NOW - 86_400, at: HOUR - 86_400, instanceId: 'one' },
    { ...row, groupId: 'other', requests: 5, lastUsedAt: NOW, at: HOUR, instanceId: 'one' },
  ]);
  assert.deepEqual(book.takeOut(), []);
});

test('what no gateway can have served is counted up to a bound, whoever says it and however long the store is away', () => {
  const book = new UsageBook();
  for (let sequence = 0; sequence < 3; sequence++) book.take(NAME, report(sequence, [['', '', '', 200, 2 ** 40, NOW]]), NOW);
  const rows = book.takeOut();
  book.putBack(rows);
  book.putBack(rows);
  assert.deepEqual(
    book.takeOut().map(({ requests }) => requests),
    [2 ** 40],
  );
});

test('a message that came before is left out; a new process of the instance begins anew', () => {
  const book = new UsageBook();
  const entries: UsageReport['entries'] = [['', '', '', 404, 1, NOW]];
  for (const sequence of [1, 1, 2, 2, 1, 4]) book.take(NAME, report(sequence, entries), NOW);
  book.take(NAME, report(1, entries, 'b2'), NOW);
  assert.deepEqual(
    book.takeOut().map(({ requests }) => requests),
    [4],
  );
});

test('an instance that names more than it may in an interval is counted without names', () => {
  const book = new UsageBook();
  for (let part = 0; part < 300; part++) {
    book.take(
      NAME,
      report(
        part,
        Array.from({ length: 100 }, (_, index) => ['c', `${part}-${index}`, 'r', 200, 1, NOW] as const),
      ),
      NOW,
    );
  }
  assert.equal(book.size, 20_001);
  const rows = book.takeOut();
  assert.deepEqual(
    rows.filter(({ consumer }) => consumer === '*').map(({ requests }) => requests),
    [10_000],
  );
  book.take(NAME, report(1000, [['c', 'again', 'r', 200, 1, NOW]]), NOW);
  assert.equal(book.takeOut()[0]?.credential, 'again');
});

test('all instances together fill it to a bound, whatever they name, and no name stands beside one of no room', () => {
  const book = new UsageBook();
  for (let instance = 0; instance < 6; instance++) {
    const entries = Array.from({ length: 10_000 }, (_, index) => ['c', `${index}`, `r${instance}`, 200, 1, NOW] as const);
    book.take({ ...NAME, instanceId: `i${instance}` }, report(1, entries), NOW);
  }
  book.take({ ...NAME, instanceId: 'x' }, report(1, [['*', 'name', 'r', 255, 1, NOW]]), NOW);
  assert.equal(book.size, 50_001);
  const rows = book.takeOut();
  assert.equal(
    rows.reduce((sum, { requests }) => sum + requests, 0),
    60_001,
  );
  assert.deepEqual(rows.at(-1), {
    groupId: 'default',
    ...{ consumer: '*', credential: '*', route: '*', status: 200 },
    ...{ requests: 10_001, lastUsedAt: NOW, at: HOUR, instanceId: 'i5' },
  });
});

test('a group that names without end takes no names from another one, which has its even share', () => {
  const book = new UsageBook();
  for (let instance = 0; instance < 3; instance++) {
    const entries = Array.from({ length: 20_000 }, (_, index) => ['c', `${index}`, `r${instance}`, 200, 1, NOW] as const);
    book.take({ groupId: 'greedy', instanceId: `i${instance}` }, report(1, entries), NOW);
  }
  const modest = Array.from({ length: 2_000 }, (_, index) => ['jack', `${index}`, 'r', 200, 1, NOW] as const);
  book.take(NAME, report(1, modest), NOW);
  assert.equal(book.size, 50_001);
  const rows = book.takeOut();
  const namedBy = (groupId: string) => rows.filter((row) => row.groupId === groupId && row.consumer !== '*');
  assert.equal(namedBy('default').length, 2_000);
  assert.equal(namedBy('greedy').length, 48_000);
  assert.equal(
    rows.reduce((sum, { requests }) => sum + requests, 0),
    62_000,
  );
});

test('no group takes more than its even share from others', () => {
  const book = new UsageBook();
  for (const groupId of ['first', 'second', 'third']) {
    for (let instance = 0; instance < 3; instance++) {
      const entries = Array.from({ length: 20_000 }, (_, index) => ['c', `${index}`, `r${instance}`, 200, 1, NOW] as const);
      book.take({ groupId, instanceId: `i${instance}` }, report(1, entries), NOW);
    }
  }
  const rows = book.takeOut().filter(({ consumer }) => consumer !== '*');
  assert.equal(rows.length, 50_000);
  for (const groupId of ['first', 'second', 'third']) assert.ok(rows.filter((row) => row.groupId === groupId).length >= 16_666, groupId);
});
