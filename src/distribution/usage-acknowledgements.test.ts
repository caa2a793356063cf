import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ProtocolError } from './frame-codec.ts';
import { parseControlPlaneMessage } from './parse-message.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';
import { UsageAcknowledgements } from './usage-acknowledgements.ts';
import { ConnectionUsageLink } from './usage-link.ts';

const REPORT = { epoch: 'a1', entries: [] } as const;

/** A connection whose peer reads when the test says so. */
function makeConnection() {
  const sent: object[] = [];
  const reads: (() => void)[] = [];
  const drained = (): Promise<void> => new Promise((resolve) => reads.push(resolve));
  return { sent, reads, send: (message: object) => sent.push(message), drained };
}

async function readAll({ reads }: ReturnType<typeof makeConnection>): Promise<void> {
  for (const read of reads.splice(0)) read();
  await setImmediate();
}

test('of each connection the last report that is written is told, once, and only what belongs to it', async () => {
  const acknowledgements = new UsageAcknowledgements();
  const [one, two] = [makeConnection(), makeConnection()];
  acknowledgements.note(one, 1, { ...REPORT, sequence: 1 });
  acknowledgements.note(one, 1, { ...REPORT, sequence: 2 });
  acknowledgements.note(two, 2, { epoch: 'b2', sequence: 7 });
  acknowledgements.written(1);
  acknowledgements.written(1);
  await Promise.all([readAll(one), readAll(two)]);
  assert.deepEqual([one.sent, two.sent], [[{ kind: 'usage-kept', epoch: 'a1', sequence: 2 }], []]);
  acknowledgements.written(2);
  await readAll(two);
  assert.deepEqual(two.sent, [{ kind: 'usage-kept', epoch: 'b2', sequence: 7 }]);
});

test('a peer that never reads is remembered one acknowledgement for, and one that is gone none', async () => {
  const acknowledgements = new UsageAcknowledgements();
  const [slow, gone] = [makeConnection(), makeConnection()];
  for (let number = 1; number <= 1000; number++) {
    acknowledgements.note(slow, number, { ...REPORT, sequence: number });
    acknowledgements.note(gone, number, { ...REPORT, sequence: number });
    acknowledgements.written(number);
  }
  assert.equal(slow.reads.length, 1);
  acknowledgements.note(gone, 1001, { ...REPORT, sequence: 1001 });
  acknowledgements.forget(gone);
  acknowledgements.written(1001);
  await Promise.all([readAll(slow), readAll(gone)]);
  assert.deepEqual([slow.sent, gone.sent], [[{ kind: 'usage-kept', epoch: 'a1', sequence: 1000 }], []]);
});

test('acknowledgements of another process, of what was never sent, and those that come twice or late, change nothing', () => {
  const link = new ConnectionUsageLink({ send: () => undefined, isClosed: false, isCongested: false });
  link.noteKept({ epoch: 'a1', sequence: 1 });
  for (let sequence = 4; sequence <= 6; sequence++) link.send({ ...REPORT, sequence });
  link.noteKept({ epoch: 'b2', sequence: 5 });
  link.noteKept({ epoch: 'a1', sequence: 7 });
  assert.equal(link.kept, 0);
  for (const sequence of [5, 5, 4]) link.noteKept({ epoch: 'a1', sequence });
  assert.equal(link.kept, 5);
});

test('an acknowledgement and the promise of it are read as they were sent, and what cannot be is of a broken peer', () => {
  const kept = { kind: 'usage-kept', epoch: 'a1', sequence: 3 };
  assert.deepEqual(parseControlPlaneMessage(JSON.stringify({ ...kept, more: 1 })), kept);
  for (const wrong of [{ epoch: '' }, { epoch: 7 }, { sequence: -1 }, { sequence: '1' }])
    assert.throws(() => parseControlPlaneMessage(JSON.stringify({ ...kept, ...wrong })), ProtocolError);
});

describe('usage between a gateway and a control plane', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  test('what is written is told on the connection by which it came', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const gateway = await TestGateway.create(t, { port: controlPlane.port, identity });
    await gateway.subscriber.start();
    await eventually(() => gateway.subscriber.isConnected);
    const link = gateway.subscriber.usageLink;
    assert.equal(link?.acknowledges, true);
    for (const sequence of [1, 2]) link?.send({ ...REPORT, sequence, ...(sequence === 2 ? { soon: true } : {}) });
    await eventually(() => controlPlane.usage.length === 2);
    assert.deepEqual(
      controlPlane.usage.map(([, { soon }]) => soon),
      [undefined, true],
    );
    controlPlane.usageWritten(1);
    // What comes behind it would come later.
    controlPlane.clock.advance(2_000);
    await eventually(() => gateway.times.length > 0);
    assert.equal(link?.kept, 0);
    controlPlane.usageWritten();
    await eventually(() => link?.kept === 2);
  });

  test('a gateway of before is served, whatever it makes of acknowledgements', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.hello();
    peer.send({ kind: 'usage', ...REPORT, sequence: 1 });
    await eventually(() => controlPlane.usage.length === 1);
    controlPlane.usageWritten();
    await eventually(() => peer.received.some(({ kind }) => kind === 'usage-kept'));
    assert.equal(peer.isClosed, false);
  });

  test('an instance that tells more than there can be to tell is cut, also when it comes back, and the log says why once', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const connect = async (): Promise<RawPeer> => {
      const peer = await RawPeer.connect(t, controlPlane.port, identity);
      peer.hello();
      await eventually(() => controlPlane.states().length === 1);
      return peer;
    };
    const first = await connect();
    let sequence = 0;
    const tell = (peer: RawPeer, count: number): void => {
      for (let index = 0; index < count; index++) peer.send({ kind: 'usage', ...REPORT, sequence: ++sequence });
    };
    tell(first, 1999);
    first.send({ kind: 'health', nodes: [], omitted: 0 });
    await eventually(() => controlPlane.usage.length === 1999 && controlPlane.publisher.instances('default')[0]?.health !== undefined);
    tell(first, 10);
    await first.closed();
    await eventually(() => controlPlane.states().length === 0);
    const second = await connect();
    tell(second, 1);
    await second.closed();
    const cause = 'the peer tells of usage and health much more often than there is to tell';
    assert.equal(controlPlane.log.lines.filter(({ fields }) => fields?.cause === cause).length, 2);
    controlPlane.clock.advance(1_000);
    const third = await connect();
    tell(third, 400);
    await eventually(() => controlPlane.usage.length === 2399);
    assert.equal(third.isClosed, false);
  });
});
