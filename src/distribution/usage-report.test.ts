import assert from 'node:assert/strict';
import test from 'node:test';
import { ProtocolError } from './frame-codec.ts';
import { parseGatewayMessage } from './parse-message.ts';
import { eventually } from './test-support/eventually.ts';
import { createIdentity, createInstallation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';
import { type UsageEntry, type UsageTuple, usageEntryOf, usageParts, usageTuple } from './usage-report.ts';

const TUPLE: UsageTuple = ['jack', 'c-1', 'r_1.x', 200, 3, 1_800_000_000];

function parse(entries: unknown, more: object = {}): unknown {
  return parseGatewayMessage(JSON.stringify({ kind: 'usage', epoch: 'a1', sequence: 1, entries, ...more }));
}

test('usage is read as it was sent; what a later version adds is left out', () => {
  const expected = { kind: 'usage', epoch: 'a1', sequence: 1, entries: [TUPLE] };
  assert.deepEqual(parse([TUPLE]), expected);
  assert.deepEqual(parse([[...TUPLE, 'more']], { more: 1 }), expected);
});

test('an entry that cannot be, and a report without its order, are those of a broken peer', () => {
  const changed = (index: number, value: unknown): unknown[] => TUPLE.map((field, at) => (at === index ? value : field));
  const wrong = [
    ...[0, 1, 2].flatMap((index) => ['a/b', 'a\0', '**', 'x'.repeat(513), '\ud800', 7, null].map((value) => changed(index, value))),
    ...[3, 4, 5].flatMap((index) => [-1, 1.5, '1', 1e300, null].map((value) => changed(index, value))),
    changed(3, 1000),
    TUPLE.slice(0, 5),
    {},
    'text',
  ];
  for (const entry of wrong) assert.throws(() => parse([entry]), ProtocolError, JSON.stringify(entry));
  assert.throws(() => parse({}), ProtocolError);
  for (const more of [{ epoch: '' }, { epoch: 'A' }, { epoch: 'a'.repeat(65) }, { epoch: 1 }, { sequence: -1 }, { sequence: '1' }]) {
    assert.throws(() => parse([], more), ProtocolError, JSON.stringify(more));
  }
});

test('an entry that names no room has no other name, and the hundred of its status', () => {
  const other: UsageEntry = { consumer: '*', credential: '*', route: '*', status: 400, requests: 3, lastUsedAt: 5 };
  for (const tuple of [
    ['*', 'c', 'r', 499, 3, 5],
    ['jack', '*', 'r', 401, 3, 5],
    ['jack', 'c', '*', 400, 3, 5],
  ] as const)
    assert.deepEqual(usageEntryOf(tuple), other);
});

test('entries go in parts that are small enough as JSON, in their order, whatever their length', () => {
  const entries = Array.from({ length: 500 }, (_, index) => {
    const name = 'n'.repeat(index % 7 === 0 ? 512 : index % 20);
    return { consumer: name, credential: name, route: name, status: 200, requests: 2 ** 40, lastUsedAt: 4_294_967_295 };
  });
  const parts = [...usageParts(entries, 4096)];
  assert.deepEqual(parts.flat(), entries);
  for (const part of parts) assert.ok(JSON.stringify(part.map(usageTuple)).length <= 4096);
  assert.deepEqual([...usageParts([], 4096)], []);
});

test('a report reaches the control plane once, under the name of the certificate; without one the gateway keeps it', async (t) => {
  const installation = await createInstallation();
  const controlPlane = await TestControlPlane.start(t, installation);
  const identity = await createIdentity(installation.authority, 'gw-1');
  const gateway = await TestGateway.create(t, { port: controlPlane.port, identity });
  const report = { epoch: 'a1', sequence: 1, entries: [TUPLE] };
  const hasLink = (): boolean => gateway.subscriber.usageLink !== undefined;
  assert.ok(!hasLink());
  await gateway.subscriber.start();
  await eventually(() => gateway.subscriber.isConnected);
  const link = gateway.subscriber.usageLink;
  assert.equal(link?.send(report), true);
  await eventually(() => controlPlane.usage.length > 0);
  assert.partialDeepStrictEqual(controlPlane.usage, [['gw-1', report]]);
  await controlPlane.publisher.close();
  await eventually(() => !gateway.subscriber.isConnected);
  assert.ok(!hasLink());
  assert.equal(link?.send({ ...report, sequence: 2 }), false);
  assert.equal(controlPlane.usage.length, 1);
});
