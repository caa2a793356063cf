import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { MetricsPage } from './metrics-page.ts';

/** A page whose every piece takes a millisecond to make. */
function slowPage(pieces: (round: number) => readonly string[]) {
  const clock = new FakeClock();
  const counts = { rounds: 0, turns: 0, longestSliceMs: 0 };
  let sliceBeganMs = 0;
  const page = new MetricsPage({
    clock,
    pieces: function* () {
      counts.rounds++;
      for (const piece of pieces(counts.rounds)) {
        clock.advance(1);
        yield piece;
      }
    },
    yieldTurn: async () => {
      counts.turns++;
      counts.longestSliceMs = Math.max(counts.longestSliceMs, clock.monotonicMs() - sliceBeganMs);
      sliceBeganMs = clock.monotonicMs();
    },
  });
  const read = async (): Promise<string> => Buffer.concat((await page.read()).pieces).toString();
  return { page, clock, counts, read };
}

test('a text is given to all who ask within a second, and made anew for those who ask later', async () => {
  const { clock, counts, read } = slowPage((round) => [`round ${round}\n`]);
  assert.deepEqual(await Promise.all([read(), read()]), ['round 1\n', 'round 1\n']);
  clock.advance(998);
  assert.equal(await read(), 'round 1\n');
  clock.advance(1);
  assert.equal(await read(), 'round 2\n');
  assert.equal(counts.rounds, 2);
});

test('nothing is kept of a text that nobody asks for any more', async () => {
  const { clock, read } = slowPage(() => ['x']);
  await read();
  assert.equal(clock.pendingTasks, 1);
  clock.advance(1000);
  assert.equal(clock.pendingTasks, 0);
});

test('a long text is made in slices of 5 ms, with a turn for others between them, and is whole', async () => {
  const lines = Array.from({ length: 3000 }, (_, index) => `${'é'.repeat(100)} ${index}\n`);
  const { page, counts } = slowPage(() => lines);
  const { pieces, byteLength } = await page.read();
  const whole = Buffer.concat(pieces);
  assert.equal(whole.toString(), lines.join(''));
  assert.equal(whole.length, byteLength);
  assert.ok(pieces.length > 4);
  assert.ok(counts.longestSliceMs <= 5);
  assert.equal(counts.turns, 600);
});

test('a failure is told to all who asked, and is over within a second', async () => {
  const { page, clock, read } = slowPage((round) => {
    if (round === 1) throw new Error('no');
    return ['fine'];
  });
  await assert.rejects(page.read(), { message: 'no' });
  await assert.rejects(page.read(), { message: 'no' });
  clock.advance(1000);
  assert.equal(await read(), 'fine');
});
