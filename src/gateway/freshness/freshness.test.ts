import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { until } from '../../../test-support/running-instance.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { readContactTimes } from './contact-file.ts';
import { type AgeLimit, Freshness } from './freshness.ts';

const AT_MS = 1_800_000_000_000;
const AWAY = { isConnected: () => false, newestRevision: () => undefined };
const HERE = { isConnected: () => true, newestRevision: () => 5 };
const REFUSE: AgeLimit = { maxAgeMs: 60_000, whenTooOld: 'refuse' };

async function open(folder: string, clock: FakeClock, limit: AgeLimit = REFUSE) {
  const log = new RecordingLogger();
  return { freshness: await Freshness.open({ folder, limit, clock, log }), log };
}

test('while a control plane is away the age grows, beyond its limit requests are refused, and with it back they are not', async (t) => {
  const clock = new FakeClock(AT_MS);
  const { freshness, log } = await open(await temporaryFolder(t), clock);
  assert.deepEqual(freshness.update(undefined, undefined).ageMs, undefined);
  assert.partialDeepStrictEqual(freshness.update(HERE, 5), { isConnected: true, sinceContactMs: 0, ageMs: 0, lag: 0, isTooOld: false });
  clock.advance(60_000);
  assert.partialDeepStrictEqual(freshness.update(AWAY, 5), {
    isConnected: false,
    sinceContactMs: 60_000,
    ageMs: 60_000,
    refusesRequests: false,
  });
  clock.advance(1);
  assert.partialDeepStrictEqual(freshness.update(AWAY, 5), { isTooOld: true, refusesRequests: true });
  assert.equal(freshness.update(HERE, 5).refusesRequests, false);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['error', 'info'],
  );
  await freshness.close();
});

test('an instance that is connected and cannot take what is newest becomes too old all the same', async (t) => {
  const clock = new FakeClock(AT_MS);
  const { freshness } = await open(await temporaryFolder(t), clock, { maxAgeMs: 60_000, whenTooOld: 'serve' });
  freshness.update(HERE, 5);
  clock.advance(60_001);
  const behind = { ...HERE, newestRevision: () => 7 };
  assert.partialDeepStrictEqual(freshness.update(behind, 5), { sinceContactMs: 0, lag: 2, isTooOld: true, refusesRequests: false });
  await freshness.close();
});

test('neither a restart nor a clock that is set back makes a configuration young again', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock(AT_MS);
  const first = await open(folder, clock);
  first.freshness.update(HERE, 5);
  clock.advance(50_000);
  first.freshness.update(AWAY, 5);
  await first.freshness.close();
  const later = new FakeClock(AT_MS - 3_600_000);
  const second = await open(folder, later);
  assert.equal(second.freshness.update(AWAY, 5).ageMs, 50_000);
  later.advance(20_000);
  assert.partialDeepStrictEqual(second.freshness.update(AWAY, 5), { ageMs: 70_000, refusesRequests: true });
  await second.freshness.close();
});

test('the age is kept from the first moment on, so that a process that is killed again and again grows old', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock(AT_MS);
  const killed = await open(folder, clock);
  killed.freshness.update(AWAY, undefined);
  killed.freshness.noteSnapshot(AT_MS - 30_000);
  killed.freshness.update(AWAY, 5);
  await until(async () => (await readContactTimes(folder)).confirmedMs === AT_MS - 30_000, 'the time is kept');
  clock.advance(20_000);
  const again = await open(folder, clock);
  assert.equal(again.freshness.update(AWAY, 5).ageMs, 50_000);
  await again.freshness.close();
});

test('a snapshot is as old as its making says, and one from the future is new', async (t) => {
  const clock = new FakeClock(AT_MS);
  const { freshness } = await open(await temporaryFolder(t), clock);
  freshness.noteSnapshot(AT_MS - 10_000);
  assert.equal(freshness.update(AWAY, 5).ageMs, 10_000);
  freshness.noteSnapshot(AT_MS + 1_000_000);
  assert.equal(freshness.update(AWAY, 5).ageMs, 0);
  assert.equal(freshness.update(AWAY, 5).sinceContactMs, undefined);
  await freshness.close();
});

test('a snapshot says how old it is also when it was seen in force before it said so', async (t) => {
  const clock = new FakeClock(AT_MS);
  const { freshness } = await open(await temporaryFolder(t), clock);
  assert.equal(freshness.update(AWAY, 5).ageMs, 0);
  freshness.noteSnapshot(AT_MS - 10_000);
  assert.equal(freshness.update(AWAY, 5).ageMs, 10_000);
  await freshness.close();
});

test('a file that holds no times, or that cannot be written, stops nothing', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'contact.json'), '{"latestMs":"x","contactMs":-1');
  const clock = new FakeClock(AT_MS);
  const { freshness } = await open(folder, clock);
  assert.equal(freshness.update(AWAY, 5).ageMs, 0);
  await freshness.close();
  const lost = await open(path.join(folder, 'gone'), clock);
  lost.freshness.update(AWAY, 5);
  await lost.freshness.close();
  assert.ok(lost.log.lines.some(({ message }) => message === 'the time of the last contact could not be kept'));
});

const YEARS_MS = 10 * 365 * 86_400_000;

test('a clock that was years ahead is forgotten with the next snapshot that was made since, and not before', async (t) => {
  const folder = await temporaryFolder(t);
  const ahead = new FakeClock(AT_MS + YEARS_MS);
  const first = await open(folder, ahead);
  first.freshness.noteSnapshot(AT_MS);
  assert.equal(first.freshness.update(AWAY, 5).refusesRequests, true);
  await first.freshness.close();
  const clock = new FakeClock(AT_MS + 10_000);
  const { freshness, log } = await open(folder, clock);
  freshness.noteSnapshot(AT_MS);
  assert.equal(freshness.update(AWAY, 5).refusesRequests, true, 'the same snapshot proves nothing');
  clock.advance(10_000);
  freshness.noteSnapshot(AT_MS + 15_000);
  assert.partialDeepStrictEqual(freshness.update(AWAY, 6), { ageMs: 5_000, isTooOld: false });
  assert.equal(log.lines.filter(({ message }) => message.startsWith('the clock of this machine was ahead')).length, 1);
  await freshness.close();
  const again = await open(folder, new FakeClock(AT_MS + 25_000));
  assert.partialDeepStrictEqual(again.freshness.update(AWAY, 6), { ageMs: 10_000, isTooOld: false });
  await again.freshness.close();
});

test('a clock that is set back does not make a snapshot young that was kept back: what has passed since the last one counts', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock(AT_MS);
  const first = await open(folder, clock);
  first.freshness.noteSnapshot(AT_MS);
  first.freshness.update(AWAY, 5);
  clock.advance(3_600_000);
  first.freshness.update(AWAY, 5);
  await first.freshness.close();
  const later = new FakeClock(AT_MS + 5_000);
  const { freshness } = await open(folder, later);
  freshness.noteSnapshot(AT_MS + 1_000);
  assert.partialDeepStrictEqual(freshness.update(AWAY, 6), { ageMs: 3_599_000, refusesRequests: true });
  await freshness.close();
});

test('a control plane whose clock is ahead keeps no machine from being set right later', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock(AT_MS);
  const { freshness } = await open(folder, clock);
  freshness.noteSnapshot(AT_MS + YEARS_MS);
  assert.equal(freshness.update(AWAY, 5).ageMs, 0);
  await freshness.close();
  const ahead = await open(folder, new FakeClock(AT_MS + YEARS_MS));
  assert.equal(ahead.freshness.update(AWAY, 5).isTooOld, true);
  await ahead.freshness.close();
  const right = new FakeClock(AT_MS + 30_000);
  const healed = await open(folder, right);
  healed.freshness.noteSnapshot(AT_MS + 20_000);
  assert.equal(healed.freshness.update(AWAY, 6).ageMs, 10_000);
  await healed.freshness.close();
});

const HOUR_MS = 3_600_000;

test('what expires goes by the latest time that this machine and its control plane have seen, over restarts and with the clock set back', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new FakeClock(AT_MS);
  const first = await open(folder, clock);
  first.freshness.noteControlPlaneTime(AT_MS + HOUR_MS);
  assert.equal(first.freshness.nowMs(), AT_MS + HOUR_MS);
  clock.advance(1_000);
  assert.equal(first.freshness.update(HERE, 5).expiryAheadMs, HOUR_MS);
  await first.freshness.close();
  const earlier = new FakeClock(AT_MS - 24 * HOUR_MS);
  const second = await open(folder, earlier);
  earlier.advance(500);
  assert.equal(second.freshness.nowMs(), AT_MS + HOUR_MS + 1_500);
  await second.freshness.close();
});

test('what only the clock of this machine has shown beyond the time of its control plane is forgotten when it is set right', async (t) => {
  const folder = await temporaryFolder(t);
  const ahead = await open(folder, new FakeClock(AT_MS + YEARS_MS));
  ahead.freshness.noteControlPlaneTime(AT_MS);
  assert.equal(ahead.freshness.nowMs(), AT_MS + YEARS_MS);
  await ahead.freshness.close();
  const { freshness, log } = await open(folder, new FakeClock(AT_MS - HOUR_MS));
  assert.equal(freshness.nowMs(), AT_MS + YEARS_MS);
  freshness.noteControlPlaneTime(AT_MS + 5_000);
  assert.equal(freshness.nowMs(), AT_MS + 5_000);
  assert.partialDeepStrictEqual(freshness.update(HERE, 5), { ageMs: 0, sinceContactMs: 0 });
  assert.equal(log.lines.filter(({ message }) => message.startsWith('the clock of this machine was ahead')).length, 1);
  await freshness.close();
});
