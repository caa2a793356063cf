import assert from 'node:assert/strict';
import test from 'node:test';
import { ConnectionBoard } from './connection-board.ts';

test('the limit holds over all workers, and each side has its own', () => {
  const board = ConnectionBoard.forWorkers(3);
  const other = new ConnectionBoard(board.shared);
  assert.equal(board.enter(0, 'client', 2), true);
  assert.equal(other.enter(2, 'client', 2), true);
  assert.equal(board.enter(1, 'client', 2), false);
  assert.equal(board.enter(0, 'client', 2), false);
  assert.equal(board.open('client'), 2);
  assert.equal(board.enter(1, 'upstream', 1), true);
  assert.equal(other.enter(1, 'upstream', 1), false);
  other.leave(2, 'client');
  assert.equal(board.enter(1, 'client', 2), true);
});

test('a dead worker leaves room and takes none of its refusals along', () => {
  const board = ConnectionBoard.forWorkers(2);
  board.enter(0, 'client', 9);
  board.enter(0, 'upstream', 9);
  board.enter(1, 'client', 9);
  board.refused(0, 'too_many_connections');
  board.refused(1, 'too_many_connections');
  board.setPaused(0, true);
  board.clearRow(0);
  board.clearRow(0);
  assert.deepEqual([board.open('client'), board.open('upstream'), board.pausedWorkers, board.pauses], [1, 0, 0, 1]);
  assert.equal(board.refusals('too_many_connections'), 2);
  assert.equal(board.refusals('service_overloaded'), 0);
});

test('clients that were let in are counted, those of a dead worker too', () => {
  const board = ConnectionBoard.forWorkers(2);
  board.enter(0, 'client', 2);
  board.enter(1, 'client', 2);
  board.enter(1, 'client', 2);
  board.enter(1, 'upstream', 2);
  board.leave(1, 'client');
  board.clearRow(0);
  assert.equal(board.admittedClients, 2);
});

test('more refusals than the largest signed number are still a number of refusals', () => {
  const board = ConnectionBoard.forWorkers(1);
  const fields = new Int32Array(board.shared);
  board.refused(0, 'service_overloaded');
  fields[fields.indexOf(1)] = 2 ** 31 - 1;
  board.refused(0, 'service_overloaded');
  assert.equal(board.refusals('service_overloaded'), 2 ** 31);
  board.clearRow(0);
  assert.equal(board.refusals('service_overloaded'), 2 ** 31);
});
