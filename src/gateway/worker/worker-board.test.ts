import assert from 'node:assert/strict';
import test from 'node:test';
import { WorkerBoard } from './worker-board.ts';

test('what a worker writes in its row is seen through the shared memory, and in no other row', () => {
  const board = WorkerBoard.forWorkers(2);
  const asSeenByWorker = new WorkerBoard(board.shared).row(1);
  asSeenByWorker.beat();
  asSeenByWorker.beat();
  asSeenByWorker.enter(7, 3);
  assert.equal(board.beat(1), 2);
  assert.deepEqual(board.lastEntered(1), { route: 7, plugin: 3 });
  assert.equal(board.beat(0), 0);
  assert.deepEqual(board.lastEntered(0), { route: 0, plugin: 0 });
});

test('a cleared row tells nothing of the worker before', () => {
  const board = WorkerBoard.forWorkers(1);
  board.row(0).enter(1, 1);
  board.row(0).beat();
  board.clearRow(0);
  assert.equal(board.beat(0), 0);
  assert.deepEqual(board.lastEntered(0), { route: 0, plugin: 0 });
});

test('a revision above 32 bits comes back unharmed', () => {
  const board = WorkerBoard.forWorkers(1);
  for (const revision of [0, 1, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 40 + 12_345]) {
    board.revision = revision;
    assert.equal(board.revision, revision);
  }
});
