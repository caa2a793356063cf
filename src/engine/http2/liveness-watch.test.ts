import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LivenessWatch } from './liveness-watch.ts';

const BUSY = { users: 1, requests: 1, heard: 0, inboundBytes: 0, outboundBytes: 0 };

/** The seconds, from 1 on, at which something other than `alive` is decided; every ping is answered as long as `answers`. */
function decisions(seconds: number, activity: (second: number) => typeof BUSY, answers = true): string[] {
  const watch = new LivenessWatch(0);
  const found: string[] = [];
  for (let second = 1; second <= seconds; second++) {
    const decided = watch.check(activity(second), second * 1000);
    if (decided !== 'alive') found.push(`${second} ${decided}`);
    if (decided === 'ping' && answers) watch.answered();
  }
  return found;
}

test('a connection is asked after ten seconds of silence, and has vanished when it says nothing for five', () => {
  assert.deepEqual(
    decisions(16, () => BUSY, false),
    ['10 ping', '16 vanished'],
  );
});

test('one on which anything comes, or that nobody uses, is not asked', () => {
  assert.deepEqual(
    decisions(600, (second) => ({ ...BUSY, heard: second >> 3 })),
    [],
  );
  assert.deepEqual(
    decisions(600, () => ({ ...BUSY, users: 0 })),
    [],
  );
});

test('a long silence is asked about no more often than servers of gRPC allow, new requests or not', () => {
  assert.deepEqual(
    decisions(700, () => BUSY),
    ['10 ping', '320 ping', '630 ping'],
  );
  assert.deepEqual(
    decisions(700, (second) => ({ ...BUSY, requests: second })),
    ['10 ping', '20 ping', '30 ping', '340 ping', '650 ping'],
  );
});

test('an answer to anything is an answer to the ping', () => {
  assert.deepEqual(
    decisions(18, (second) => ({ ...BUSY, heard: second >= 14 ? 1 : 0 }), false),
    ['10 ping'],
  );
});

test('a process that was held up itself looks once more before it gives a connection up', () => {
  const watch = new LivenessWatch(0);
  assert.equal(watch.check(BUSY, 10_000), 'ping');
  assert.equal(watch.check(BUSY, 900_000), 'alive');
  watch.answered();
  assert.equal(watch.check(BUSY, 901_000), 'ping');
});

test('an upload that goes on is a sign of life, before a PING and while its answer waits behind the upload', () => {
  assert.deepEqual(
    decisions(600, (second) => ({ ...BUSY, inboundBytes: 13 * (second >> 3) }), false),
    [],
  );
  assert.deepEqual(
    decisions(600, (second) => ({ ...BUSY, outboundBytes: 20_000 * (second >> 3) }), false),
    [],
  );
  const stalled = (second: number): typeof BUSY => ({ ...BUSY, outboundBytes: 20_000 * (Math.min(Math.max(second, 10), 40) - 10) });
  assert.deepEqual(decisions(46, stalled, false), ['10 ping', '46 vanished']);
  const acknowledged = (second: number): typeof BUSY => ({ ...BUSY, inboundBytes: Math.min(Math.max(second, 10), 40) - 10 });
  assert.deepEqual(decisions(46, acknowledged, false), ['10 ping', '46 vanished']);
});

test('small messages that the kernel takes do not hide that the other end has vanished', () => {
  assert.deepEqual(
    decisions(16, (second) => ({ ...BUSY, outboundBytes: 100 * second }), false),
    ['10 ping', '16 vanished'],
  );
});

test('the answers to PINGs, which are bytes too, bring no further ones', () => {
  assert.deepEqual(
    decisions(700, (second) => ({ ...BUSY, inboundBytes: 17 * Math.floor((second + 299) / 310) })),
    ['10 ping', '320 ping', '630 ping'],
  );
});
