import assert from 'node:assert/strict';
import test from 'node:test';
import { FleetMember } from './fleet-member.ts';
import type { WorkerThread } from './worker-thread.ts';

// The thread itself plays no part in judging a heartbeat.
const thread = {} as WorkerThread;

test('a worker is silent after eight checks without a beat, and one beat makes up for all', () => {
  const member = new FleetMember(thread);
  assert.equal(member.isSilent(1), false);
  for (let check = 1; check < 8; check++) assert.equal(member.isSilent(1), false, `check ${check}`);
  assert.equal(member.isSilent(2), false);
  for (let check = 1; check < 8; check++) assert.equal(member.isSilent(2), false, `check ${check}`);
  assert.equal(member.isSilent(2), true);
});

test('a worker that has not begun to beat has half a minute for its start', () => {
  const member = new FleetMember(thread);
  for (let check = 1; check < 120; check++) assert.equal(member.isSilent(0), false, `check ${check}`);
  assert.equal(member.isSilent(0), true);
});
