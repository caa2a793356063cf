import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { systemRandom } from '../lib/random.ts';
import { createApiToken } from './auth/index.ts';
import { openExpiryClock } from './expiry-clock.ts';
import { openInstallation } from './first-start.ts';
import { openControlPlaneStore } from './open-control-plane-store.ts';
import { callerOfToken } from './testing/caller-of-token.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

async function open(test: TestContext) {
  const folder = await temporaryFolder(test);
  const clock = new FakeClock(START_MS);
  const store = await openControlPlaneStore({ dataFolder: folder, keyringFile: `${folder}/keyring.json`, clock, random: systemRandom });
  test.after(() => store.close());
  const log = new RecordingLogger();
  return { store, clock, log, openClock: (believeClock = false) => openExpiryClock({ store, clock, log, believeClock }) };
}

test('the time by which things expire never runs backwards, also not over a restart', async (t) => {
  const { clock, log, openClock } = await open(t);
  const first = await openClock();
  assert.equal(first.nowMs(), START_MS);
  clock.setWallClock(START_MS + DAY_MS);
  assert.equal(first.nowMs(), START_MS + DAY_MS);
  clock.setWallClock(START_MS);
  assert.equal(first.nowMs(), START_MS + DAY_MS);
  await first.close();
  assert.equal(clock.pendingTasks, 0);
  assert.equal(log.lines.length, 0);
  const second = await openClock();
  assert.equal(second.nowMs(), START_MS + DAY_MS);
  assert.equal(log.lines.filter((line) => line.level === 'warn').length, 1);
  await second.close();
});

test('the time is kept once a minute, so that a process that is killed loses no more', async (t) => {
  const { store, clock, openClock } = await open(t);
  const killed = await openClock();
  t.after(() => killed.close());
  clock.advance(60_000);
  await store.transaction({ id: 'system', name: 'system' }, async () => undefined);
  clock.setWallClock(START_MS);
  const next = await openClock();
  assert.equal(next.nowMs(), START_MS + 60_000);
  await next.close();
});

test('a clock that leaps is kept at once, so that a process that is killed then, and its clock set back, revives nothing', async (t) => {
  const { store, clock, openClock } = await open(t);
  const killed = await openClock();
  t.after(() => killed.close());
  clock.setWallClock(START_MS + DAY_MS);
  killed.nowMs();
  // Writers take turns: the time is kept before this.
  await store.transaction({ id: 'system', name: 'system' }, async () => undefined);
  clock.setWallClock(START_MS);
  const next = await openClock();
  assert.equal(next.nowMs(), START_MS + DAY_MS);
  await next.close();
});

test('behind a clock that was set back the time goes on, so that what is to expire does', async (t) => {
  const { clock, openClock } = await open(t);
  clock.setWallClock(START_MS + DAY_MS);
  const expiryClock = await openClock();
  t.after(() => expiryClock.close());
  assert.equal(expiryClock.nowMs(), START_MS + DAY_MS);
  clock.setWallClock(START_MS);
  clock.advance(5_000);
  assert.equal(expiryClock.nowMs(), START_MS + DAY_MS + 5_000);
});

test('a start that believes the clock forgets a later time, for this start and the next ones', async (t) => {
  const { clock, log, openClock } = await open(t);
  clock.setWallClock(START_MS + DAY_MS);
  await (await openClock()).close();
  clock.setWallClock(START_MS);
  const believing = await openClock(true);
  assert.equal(believing.nowMs(), START_MS);
  await believing.close();
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ['the latest time seen is forgotten: things expire by the clock again'],
  );
  const next = await openClock();
  assert.equal(next.nowMs(), START_MS);
  await next.close();
});

test('of two control planes on one store, each learns the latest time that the other has seen', async (t) => {
  const { clock, openClock } = await open(t);
  const behind = await openClock();
  clock.setWallClock(START_MS + DAY_MS);
  const ahead = await openClock();
  ahead.nowMs();
  await ahead.close();
  clock.setWallClock(START_MS);
  await behind.close();
  assert.equal(behind.nowMs(), START_MS + DAY_MS);
});

test('a token that has expired stays so when the clock is set back, and a new one lives its days all the same', async (t) => {
  const { store, clock, openClock } = await open(t);
  const random = systemRandom;
  await openInstallation({ store, bootstrapToken: undefined, adminPassword: 'password', clock, random });
  const author = { id: 'cli', name: 'cli' };
  const make = () => createApiToken({ store, clock, random, name: 't', username: undefined, expiresInDays: 1, author });
  const old = await make();
  clock.setWallClock(START_MS + 3 * DAY_MS);
  await (await openClock()).close();
  clock.setWallClock(START_MS);
  const expiryClock = await openClock();
  t.after(() => expiryClock.close());
  assert.equal(await callerOfToken(store, expiryClock, old.token), undefined);
  const fresh = await make();
  assert.equal((await callerOfToken(store, expiryClock, fresh.token))?.tokenId, fresh.id);
});
