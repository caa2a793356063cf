import assert from 'node:assert/strict';
import test from 'node:test';
import { TestLink } from './testing/test-link.ts';
import { UsageSender } from './usage-sender.ts';

function makeSender(isHasty = false) {
  const sender = new UsageSender({ epoch: 'a1', isHasty, yieldTurn: () => Promise.resolve() });
  const count = (requests: number, credential = 'c'): void =>
    sender.add({ consumer: 'jack', credential, route: 'r', status: 200, requests, lastUsedAt: 5 });
  /** An interval in which so many requests were counted. */
  const pass = (requests: number, link?: TestLink): Promise<void> => {
    if (requests > 0) count(requests);
    sender.endInterval();
    return sender.proceed(link);
  };
  return { sender, count, pass };
}

test('an interval’s counts go at its end, when those before are written, and ask for nothing', async () => {
  const { sender, pass } = makeSender();
  const link = new TestLink();
  await pass(7, link);
  assert.deepEqual(link.requests, [7]);
  link.keepAll();
  await sender.proceed(link);
  assert.deepEqual(link.requests, [7]);
  await pass(0, link);
  await pass(8, link);
  assert.deepEqual(link.requests, [7, 8]);
  assert.ok(link.sent.every(({ soon }) => soon === undefined));
  // Written late: what has been counted meanwhile goes at once.
  await pass(9, link);
  assert.equal(link.sent.length, 2);
  link.keepAll();
  await sender.proceed(link);
  assert.deepEqual(link.requests, [7, 8, 9]);
});

test('what an outage has added up goes in portions of the fullest interval, one after the other as they are written', async () => {
  const { sender, pass } = makeSender();
  for (const requests of [3000, 2000, 2500, 2600, 10]) await pass(requests);
  const link = new TestLink();
  await sender.proceed(link);
  assert.deepEqual([link.requests, sender.isDraining], [[3000], true]);
  for (let check = 0; check < 5; check++) await sender.proceed(link);
  assert.equal(link.sent.length, 1);
  for (let portion = 0; portion < 9; portion++) {
    link.keepAll();
    await sender.proceed(link);
  }
  assert.deepEqual(link.requests, [3000, 3000, 3000, 1110]);
  assert.deepEqual(
    link.sent.map(({ sequence, soon }) => [sequence, soon]),
    [
      [1, true],
      [2, true],
      [3, true],
      [4, undefined],
    ],
  );
  assert.equal(sender.isDraining, false);
});

test('a portion holds a thousand requests at least, so that little traffic makes few portions', async () => {
  const { sender, pass } = makeSender();
  for (let interval = 0; interval < 1200; interval++) await pass(1);
  const link = new TestLink();
  await sender.proceed(link);
  link.keepAll();
  await sender.proceed(link);
  assert.deepEqual(link.requests, [1000, 200]);
});

test('a portion whose link broke before it was written is never sent again, and no more than it is lost', async () => {
  const { sender, pass } = makeSender();
  for (let interval = 0; interval < 4; interval++) await pass(2000);
  const first = new TestLink();
  await sender.proceed(first);
  await sender.proceed(undefined);
  const second = new TestLink();
  await sender.proceed(second);
  assert.deepEqual(second.requests, [], 'a link that breaks all the time takes one portion an interval');
  for (let interval = 0; interval < 4; interval++) {
    await pass(0, second);
    second.keepAll();
  }
  assert.deepEqual([first.requests, second.requests], [[2000], [2000, 2000, 2000]]);
  assert.equal(second.sent[0]?.sequence, 2);
});

test('acknowledgements of the last connection count for nothing on the next one', async () => {
  const { sender, pass } = makeSender();
  await pass(1);
  const [first, second] = [new TestLink(), new TestLink()];
  await sender.proceed(first);
  await sender.proceed(second);
  await pass(2, second);
  first.keepAll();
  await pass(3, second);
  assert.deepEqual(second.requests, [2]);
});

test('acknowledgements that never come hold up nothing but telling, and what waits has a bounded size', async () => {
  const { sender, count, pass } = makeSender();
  const link = new TestLink();
  await pass(1, link);
  for (let interval = 0; interval < 3; interval++) {
    for (let index = 0; index < 10_000; index++) count(1, `${interval}-${index}`);
    await pass(0, link);
  }
  assert.equal(link.sent.length, 1);
  await sender.sendAll(link);
  const entries = link.sent.slice(1).flatMap((report) => report.entries);
  assert.equal(entries.length, 20_001);
  assert.equal(
    entries.reduce((sum, [, , , , requests]) => sum + requests, 0),
    30_000,
  );
});

test('a control plane that acknowledges nothing gets all of it once an interval, as ever', async () => {
  const { sender, pass } = makeSender(true);
  for (let interval = 0; interval < 5; interval++) await pass(2000);
  const link = new TestLink(false);
  await pass(2000, link);
  await pass(1, link);
  await sender.proceed(link);
  assert.deepEqual(link.requests, [12_000, 1]);
  assert.ok(link.sent.every(({ soon }) => soon === undefined));
});

test('what a link does not take waits for the next interval, also in the middle of a portion', async () => {
  const { sender, count, pass } = makeSender();
  for (let index = 0; index < 600; index++) count(1, `${'x'.repeat(250)}${index}`);
  const link = new TestLink();
  link.takes = false;
  await pass(0, link);
  await sender.proceed(link);
  link.takes = true;
  const send = link.send.bind(link);
  link.send = (report) => {
    link.takes = link.sent.length < 2;
    return send(report);
  };
  await pass(0, link);
  assert.equal(link.sent.length, 2);
  link.send = send;
  link.takes = true;
  link.keepAll();
  await sender.proceed(link);
  assert.ok(link.sent.length > 2);
  const entries = link.sent.flatMap((report) => report.entries);
  assert.deepEqual([entries.length, new Set(entries.map(([, credential]) => credential)).size], [600, 600]);
});

test('at the end all goes at once, whatever is not written yet', async () => {
  const { sender, pass } = makeSender();
  for (let interval = 0; interval < 4; interval++) await pass(2000);
  const link = new TestLink();
  await sender.proceed(link);
  await sender.sendAll(link);
  assert.deepEqual(link.requests, [2000, 6000]);
  await sender.sendAll(undefined);
});

test('where intervals are shorter than those of the control plane each portion asks to be written soon', async () => {
  const { pass } = makeSender(true);
  const link = new TestLink();
  await pass(3, link);
  assert.deepEqual(
    link.sent.map(({ soon }) => soon),
    [true],
  );
});
