import assert from 'node:assert/strict';
import test from 'node:test';
import { CHECK_MS, UsageWorld } from '../test-support/usage-world.ts';

const HOUR_MS = 3_600_000;
const PER_INTERVAL = 2_000;

test('a control plane that is killed before it has written what an hour of outage had added up loses one interval’s counts', async () => {
  for (const isCutOnly of [false, true]) {
    const world = new UsageWorld();
    await world.pass(HOUR_MS, PER_INTERVAL);
    world.startControlPlane();
    world.isStoreAway = true;
    let reports = 0;
    world.onReport = () => {
      reports++;
    };
    world.connect();
    await world.pass(CHECK_MS, PER_INTERVAL);
    assert.equal(reports, 1);
    if (isCutOnly) world.cut();
    else {
      await world.killControlPlane();
      world.startControlPlane();
    }
    world.isStoreAway = false;
    world.connect();
    await world.pass(HOUR_MS, PER_INTERVAL);
    await world.pass(60_000, 0);
    // What only lost its link was received and is written all the same; nothing is ever there twice.
    assert.equal(world.counted - world.written, isCutOnly ? 0 : PER_INTERVAL);
  }
});

test('an hour of outage is told within five minutes, and the store is written to at most four times a second', async () => {
  const world = new UsageWorld();
  await world.pass(HOUR_MS, PER_INTERVAL);
  world.startControlPlane();
  world.connect();
  let most = 0;
  for (let second = 0; second < 300; second++) {
    const before = world.writes;
    await world.pass(1_000, PER_INTERVAL);
    most = Math.max(most, world.writes - before);
  }
  assert.ok(most <= 4, String(most));
  assert.ok(world.counted - world.written <= 2 * PER_INTERVAL, String(world.counted - world.written));
  const before = world.writes;
  await world.pass(100_000, PER_INTERVAL);
  assert.ok(world.writes - before <= 11, 'then once an interval again');
});

test('with intervals of a second there is one portion and one write each, and an outage is told too', async () => {
  const world = new UsageWorld(1_000);
  world.startControlPlane();
  world.connect();
  await world.pass(60_000, PER_INTERVAL);
  assert.ok(world.writes >= 55 && world.writes <= 61, String(world.writes));
  world.cut();
  await world.pass(300_000, PER_INTERVAL);
  world.connect();
  await world.pass(400_000, PER_INTERVAL);
  assert.ok(world.counted - world.written <= 2 * PER_INTERVAL, String(world.counted - world.written));
});

test('while the store is away for long a gateway waits, and all of it is told when the store is back', async () => {
  const world = new UsageWorld();
  world.startControlPlane();
  world.connect();
  world.isStoreAway = true;
  let reports = 0;
  world.onReport = () => {
    reports++;
  };
  await world.pass(HOUR_MS, PER_INTERVAL);
  assert.equal(reports, 1);
  world.isStoreAway = false;
  await world.pass(300_000, 0);
  assert.equal(world.written, world.counted);
});

test('whatever breaks, and whenever, nothing is counted twice, and each break costs one interval’s counts at most', async () => {
  let state = 4711;
  const chance = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const world = new UsageWorld();
  let breaks = 0;
  for (let round = 0; round < 400; round++) {
    const what = chance();
    const { isConnected } = world;
    if (what < 0.15) world.cut();
    else if (what < 0.3) await world.killControlPlane();
    else if (what < 0.4) world.isStoreAway = true;
    else if (what < 0.6) world.isStoreAway = false;
    else if (what < 0.7) world.doubt = { wasAdded: chance() < 0.5 };
    else if (what < 0.8) {
      await world.killControlPlane();
      world.startControlPlane();
    } else world.connect();
    if (isConnected && !world.isConnected) breaks++;
    await world.pass(Math.ceil(chance() * 100) * CHECK_MS, Math.floor(chance() * PER_INTERVAL));
    assert.ok(world.written <= world.counted);
  }
  world.isStoreAway = false;
  world.startControlPlane();
  world.connect();
  await world.pass(HOUR_MS, 0);
  const lost = world.counted - world.written;
  assert.ok(lost > 0 && lost <= breaks * PER_INTERVAL, `${lost} of ${world.counted} with ${breaks} breaks`);
});
