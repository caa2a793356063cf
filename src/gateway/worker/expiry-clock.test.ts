import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { ExpiryClock } from './expiry-clock.ts';
import { WorkerBoard } from './worker-board.ts';

const AT_MS = 1_800_000_000_000;

test('a worker lets things expire by the later one of its clock and of what the agent has seen, which goes on by itself', () => {
  const board = WorkerBoard.forWorkers(1);
  const clock = new FakeClock(AT_MS);
  const machineMs = (): number => 500 + clock.monotonicMs();
  const expiryClock = new ExpiryClock({ clock, board: new WorkerBoard(board.shared), machineMs });
  assert.equal(expiryClock.nowMs(), AT_MS);
  board.expiryOffsetMs = AT_MS + 3_600_000 - machineMs();
  assert.equal(expiryClock.nowMs(), AT_MS + 3_600_000);
  clock.advance(10_000);
  clock.setWallClock(0);
  assert.equal(expiryClock.nowMs(), AT_MS + 3_610_000);
  clock.setWallClock(AT_MS + 7_200_000);
  assert.equal(expiryClock.nowMs(), AT_MS + 7_200_000);
});
