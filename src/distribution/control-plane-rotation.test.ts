import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Random } from '../lib/random.ts';
import { ControlPlaneRotation, type SessionEnd } from './control-plane-rotation.ts';

const ADDRESSES = ['a', 'b', 'c'].map((host) => ({ host, port: 7943 }));
/** Draws zeros: addresses keep their order, and delays are the shortest. */
const ZEROS: Random = { bytes: (length) => Buffer.alloc(length) };
const UNREACHABLE: SessionEnd = { kind: 'unreachable', reason: 'refused' };
const LOST: SessionEnd = { kind: 'lost', reason: 'closed' };
const REJECTED: SessionEnd = { kind: 'rejected', reason: 'too new' };

function delays(rotation: ControlPlaneRotation, ends: readonly SessionEnd[]): readonly number[] {
  return ends.map((end) => rotation.moveOn(end, 0));
}

describe('the order in which control planes are tried', () => {
  test('the next one follows at once; only a round of failures is a reason to pause, ever longer', () => {
    const rotation = new ControlPlaneRotation(ADDRESSES, ZEROS);
    const ends = Array.from({ length: 9 }, () => UNREACHABLE);
    assert.deepEqual(delays(rotation, ends), [0, 0, 50, 0, 0, 50, 0, 0, 100]);
  });

  test('a connection that was a good one begins the count anew', () => {
    const rotation = new ControlPlaneRotation(ADDRESSES, ZEROS);
    delays(rotation, [UNREACHABLE, UNREACHABLE]);
    assert.equal(rotation.moveOn(LOST, 60_000), 0);
    assert.equal(rotation.current.host, 'a');
    assert.deepEqual(delays(rotation, [UNREACHABLE, UNREACHABLE]), [0, 50]);
  });

  test('one that welcomes and drops again and again is not tried without pause', () => {
    const rotation = new ControlPlaneRotation(ADDRESSES.slice(0, 1), ZEROS);
    assert.deepEqual(delays(rotation, [LOST, LOST, LOST]), [50, 50, 100]);
  });

  test('being turned away by one leads to the next, by all to a long pause', () => {
    const rotation = new ControlPlaneRotation(ADDRESSES, ZEROS);
    assert.deepEqual(delays(rotation, [REJECTED, REJECTED, REJECTED]), [0, 0, 7_500]);
  });

  test('is drawn, so that gateways spread, and kept', () => {
    let lot = 9;
    const rotation = new ControlPlaneRotation(ADDRESSES, { bytes: (length) => Buffer.alloc(length, lot--) });
    assert.equal(rotation.current.host, 'c');
    assert.equal(rotation.current.host, 'c');
  });

  test('gateways of one that died come to the others within a fifth of a second', () => {
    const rotation = new ControlPlaneRotation(ADDRESSES, { bytes: (length) => Buffer.alloc(length, 255) });
    const delayMs = rotation.moveOn(LOST, 60_000);
    assert.ok(delayMs > 100 && delayMs <= 200, `${delayMs}`);
  });
});
