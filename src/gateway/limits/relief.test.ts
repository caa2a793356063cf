import assert from 'node:assert/strict';
import test from 'node:test';
import { ConnectionBoard } from './connection-board.ts';
import { Relief } from './relief.ts';

test('for each refusal of another worker one idle connection is closed, once', () => {
  const board = ConnectionBoard.forWorkers(2);
  board.refused(1, 'too_many_connections');
  const closed: number[] = [];
  const relief = new Relief(board, 'too_many_connections', { closeIdle: (count) => closed.push(count) });
  relief.beat();
  assert.deepEqual(closed, []);
  for (let turn = 0; turn < 3; turn++) board.refused(1, 'too_many_connections');
  board.refused(1, 'service_overloaded');
  relief.beat();
  relief.beat();
  assert.deepEqual(closed, [3]);
});
