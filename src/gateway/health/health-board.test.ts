import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { SmoothRoundRobin } from '../balancer/index.ts';
import { EndpointHealth } from './endpoint-health.ts';
import { HealthBoard } from './health-board.ts';
import { HealthBook, healthKey } from './health-book.ts';
import type { HealthReport } from './node-health.ts';
import { SlotKeeper } from './slot-keeper.ts';

const PASSIVE = {
  kind: 'http',
  healthyStatuses: [200],
  unhealthyStatuses: [500],
  successes: 1,
  httpFailures: 1,
  tcpFailures: 1,
  timeouts: 1,
} as const;

function drained(board: HealthBoard, row: number): (readonly [number, number, HealthReport])[] {
  const reports: (readonly [number, number, HealthReport])[] = [];
  board.drain(row, ({ slot, tag }, report) => reports.push([slot, tag, report]));
  return reports;
}

test('reports arrive in their order, each worker’s apart, and only the first wakes the agent', () => {
  const board = HealthBoard.forWorkers(2);
  assert.equal(board.report(0, { slot: 5, tag: 4095 }, 'timeout_failure'), true);
  assert.equal(board.report(0, { slot: 32_767, tag: 0 }, 'success'), false);
  assert.equal(board.report(1, { slot: 1, tag: 1 }, 'tcp_failure'), true);
  assert.deepEqual(drained(board, 0), [
    [5, 4095, 'timeout_failure'],
    [32_767, 0, 'success'],
  ]);
  assert.deepEqual(drained(board, 0), []);
  assert.equal(board.report(0, { slot: 5, tag: 0 }, 'http_failure'), true);
  assert.deepEqual(drained(board, 1), [[1, 1, 'tcp_failure']]);
});

test('a full ring loses what is new, and takes more after it was emptied, many times over', () => {
  const board = HealthBoard.forWorkers(1);
  for (let round = 0; round < 5; round++) {
    for (let report = 0; report < 700; report++) board.report(0, { slot: report, tag: 1 }, 'success');
    const reports = drained(board, 0);
    assert.deepEqual([reports.length, reports.at(-1)?.[0]], [512, 511]);
  }
  board.report(0, { slot: 1, tag: 1 }, 'success');
  board.clearRow(0);
  assert.deepEqual(drained(board, 0), []);
});

test('the generation changes when a node goes down or comes up, and only then', () => {
  const board = HealthBoard.forWorkers(1);
  const seen = [board.generation];
  for (const state of ['mostly_healthy', 'unhealthy', 'mostly_unhealthy', 'healthy'] as const) {
    board.set(3, state);
    seen.push(board.generation);
  }
  assert.deepEqual(seen, [0, 0, 1, 1, 2]);
});

test('a slot comes back late and under another tag', () => {
  const keeper = new SlotKeeper(2);
  const [one, two] = [keeper.take(), keeper.take()];
  assert.deepEqual([one, two, keeper.take()], [{ slot: 0, tag: 0 }, { slot: 1, tag: 0 }, undefined]);
  if (one !== undefined && two !== undefined) {
    keeper.giveBack(two);
    keeper.giveBack(one);
  }
  assert.deepEqual([keeper.take(), keeper.take(), keeper.take()], [{ slot: 1, tag: 1 }, { slot: 0, tag: 1 }, undefined]);
  for (let turn = 0; turn < 20; turn++) {
    keeper.giveBack({ slot: turn % 2, tag: 0 });
    assert.deepEqual(keeper.take(), { slot: turn % 2, tag: 2 + Math.floor(turn / 2) });
  }
});

function bookOf(board: HealthBoard, keys: readonly string[]) {
  const book = new HealthBook({ board: board.shared, row: 0, wake: () => {} });
  book.update(
    keys.map((key, slot) => ({ key, slot, tag: 0 })),
    [],
  );
  return book;
}

test('endpoints are passed over while they are down, but not all of them', () => {
  const board = HealthBoard.forWorkers(1);
  const keys = [1, 2].map((port) => healthKey('s', '10.0.0.1', port));
  const book = bookOf(board, keys);
  const health = new EndpointHealth(book, keys, [1, 1], undefined);
  assert.equal(health.down, undefined);
  board.set(1, 'unhealthy');
  assert.deepEqual([...(health.down ?? [])], [0, 1]);
  board.set(0, 'mostly_unhealthy');
  assert.equal(health.down, undefined);
  board.set(1, 'mostly_healthy');
  assert.deepEqual([...(health.down ?? [])], [1, 0]);
  book.update([], [keys[0] ?? '']);
  assert.equal(health.down, undefined);
});

test('a healthy node of weight 0 stands in for none: when all others are down they are used again', () => {
  const board = HealthBoard.forWorkers(1);
  const keys = [1, 2, 3].map((port) => healthKey('s', '10.0.0.1', port));
  const health = new EndpointHealth(bookOf(board, keys), keys, [1, 0, 2], undefined);
  const balancer = new SmoothRoundRobin(
    [1, 0, 2].map((weight) => ({ weight, priority: 0 })),
    systemRandom,
  );
  board.set(0, 'unhealthy');
  assert.equal(balancer.next([], health.down), 2);
  board.set(2, 'unhealthy');
  assert.equal(health.down, undefined);
  assert.notEqual(balancer.next([], health.down), -1);
  board.set(2, 'healthy');
  board.set(1, 'unhealthy');
  assert.equal(balancer.next([], health.down), 2);
  board.set(0, 'healthy');
  assert.equal(health.down, undefined);
});

test('a worker tells what is news: failures, and the successes that follow them', () => {
  const board = HealthBoard.forWorkers(1);
  const keys = [healthKey('s', '10.0.0.1', 1)];
  const book = bookOf(board, keys);
  const health = new EndpointHealth(book, keys, [1], PASSIVE);
  health.noteStatus(0, 200);
  health.noteStatus(0, 404);
  assert.deepEqual(drained(board, 0), []);
  health.noteStatus(0, 500);
  health.noteStatus(0, 200);
  health.noteStatus(0, 200);
  assert.deepEqual(
    drained(board, 0).map(([, , report]) => report),
    ['http_failure', 'success'],
  );
  board.set(0, 'unhealthy');
  health.note(0, 'tcp_failure');
  health.noteStatus(0, 200);
  health.noteStatus(0, 200);
  assert.deepEqual(
    drained(board, 0).map(([, , report]) => report),
    ['success', 'success'],
  );
  new EndpointHealth(book, keys, [1], undefined).note(0, 'tcp_failure');
  new EndpointHealth(book, ['other'], [1], PASSIVE).note(0, 'tcp_failure');
  assert.deepEqual(drained(board, 0), []);
});
