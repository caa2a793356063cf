import assert from 'node:assert/strict';
import test from 'node:test';
import type { ErrorReason } from '../../errors/index.ts';
import { AddressCounts } from './address-counts.ts';
import { Admission, NO_SLOT } from './admission.ts';
import { ConnectionBoard } from './connection-board.ts';
import { deriveLimits, type LimitSettings } from './instance-limits.ts';
import { SlotCounts } from './slot-counts.ts';

/** The admissions of `workers` workers of one instance. */
function admissionsOf(workers: number, settings: LimitSettings) {
  const limits = deriveLimits(1000, settings);
  const connections = ConnectionBoard.forWorkers(workers);
  const slots = SlotCounts.forWorkers(workers);
  const addresses = limits.connectionsPerAddress === 0 ? undefined : AddressCounts.forWorkers(workers, 'secret');
  const refused: ErrorReason[] = [];
  const onRefused = (reason: ErrorReason): void => void refused.push(reason);
  const admissions = Array.from({ length: workers }, (_, row) => new Admission({ row, limits, connections, slots, addresses, onRefused }));
  const [one, two = one] = admissions;
  if (one === undefined || two === undefined) throw new Error('a test needs a worker');
  return { one, two, connections, refused };
}

test('clients are refused over all workers by number and by address, each for its own reason', () => {
  const { one, two, connections } = admissionsOf(2, { clientConnections: 3, connectionsPerAddress: 2 });
  assert.equal(one.admitClient('10.0.0.1'), undefined);
  assert.equal(two.admitClient('10.0.0.1'), undefined);
  assert.equal(two.admitClient('10.0.0.1'), 'too_many_connections_of_client');
  assert.equal(two.admitClient('10.0.0.2'), undefined);
  assert.equal(one.admitClient('10.0.0.3'), 'too_many_connections');
  one.clientGone('10.0.0.1');
  assert.equal(one.admitClient('10.0.0.3'), undefined);
  assert.equal(connections.open('client'), 3);
});

test('one refused for the number leaves nothing counted for its address', () => {
  const { one } = admissionsOf(1, { clientConnections: 1, connectionsPerAddress: 1 });
  assert.equal(one.admitClient('10.0.0.1'), undefined);
  for (let turn = 0; turn < 3; turn++) assert.equal(one.admitClient('10.0.0.2'), 'too_many_connections');
  one.clientGone('10.0.0.1');
  assert.equal(one.admitClient('10.0.0.2'), undefined);
});

test('a service has its limit over all workers, and another service is not touched by it', () => {
  const { one, two } = admissionsOf(2, { requestsPerService: 2 });
  const slot = one.serviceSlot('slow');
  assert.equal(two.serviceSlot('slow'), slot);
  assert.equal(one.enterService(slot), true);
  assert.equal(two.enterService(slot), true);
  assert.equal(two.enterService(slot), false);
  assert.equal(two.enterService(two.serviceSlot('other')), true);
  one.leaveService(slot);
  assert.equal(two.enterService(slot), true);
});

test('nodes are not counted unless they have a limit', () => {
  assert.equal(admissionsOf(1, {}).one.nodeSlot('10.0.0.1', 80), NO_SLOT);
  const { one } = admissionsOf(1, { requestsPerNode: 1 });
  const slot = one.nodeSlot('10.0.0.1', 80);
  assert.notEqual(slot, one.nodeSlot('10.0.0.1', 81));
  assert.deepEqual([one.enterNode(slot), one.enterNode(slot)], [true, false]);
  one.leaveNode(slot);
  assert.equal(one.enterNode(slot), true);
});

test('refusals are counted and told, by reason', () => {
  const { one, two, connections, refused } = admissionsOf(2, {});
  one.refused('service_overloaded');
  two.refused('service_overloaded');
  assert.equal(connections.refusals('service_overloaded'), 2);
  assert.deepEqual(refused, ['service_overloaded', 'service_overloaded']);
});
