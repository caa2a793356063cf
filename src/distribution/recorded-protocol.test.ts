import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { before, describe, test } from 'node:test';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { systemClock } from '../lib/clock.ts';
import { encodeFrame, FrameDecoder } from './frame-codec.ts';
import { MAX_FRAME_BYTES } from './protocol.ts';
import { createSigningKey, PayloadDigest, Signer } from './signing.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { startSyncServers } from './sync-server.ts';
import { eventually } from './test-support/eventually.ts';
import { OfflineGateway } from './test-support/offline-gateway.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { missingFields, recordedMessages, textOfRecorded } from './test-support/recorded-protocol.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

const GATEWAY = recordedMessages(1, 'gateway');
const CONTROL_PLANE = recordedMessages(1, 'control-plane');
/** What no version has written so far. */
const FUTURE = { addedLater: { deep: ['field'] }, sinceVersion: 99 };
const UNKNOWN = { kind: 'message-of-a-later-version', revision: 'not a number', payload: null };

/** Everything that a peer receives from now on, as it was written. */
function listen(peer: RawPeer): readonly Readonly<Record<string, unknown>>[] {
  const received: Record<string, unknown>[] = [];
  const decoder = new FrameDecoder(MAX_FRAME_BYTES);
  peer.socket.on('data', (chunk: Buffer) => {
    for (const text of decoder.push(chunk)) received.push(JSON.parse(text));
  });
  return received;
}

/** What protocol 1 says of a payload, signed anew. */
function signature(signer: Signer, name: 'snapshot-end' | 'delta'): string {
  const isSnapshot = name === 'snapshot-end';
  const payload = String(CONTROL_PLANE.get(isSnapshot ? 'snapshot-part' : 'delta')?.payload);
  return signer.sign({
    groupId: 'default',
    kind: isSnapshot ? 'snapshot' : 'delta',
    fromRevision: isSnapshot ? 0 : 1,
    toRevision: isSnapshot ? 1 : 3,
    count: isSnapshot ? 1 : 2,
    payloadDigest: new PayloadDigest().add(payload).finish(),
  });
}

for (const [age, added] of [
  ['as it was recorded', {}],
  ['with fields and kinds of a later version', FUTURE],
] as const) {
  describe(`protocol 1 ${age}`, () => {
    let installation: Installation;
    let identity: SubscriberIdentity;
    before(async () => {
      installation = await createInstallation();
      identity = await createIdentity(installation.authority, 'gw-1');
    });

    test('a gateway that speaks it is served: snapshot, deltas, refusals, health, and a delta after it came back', async (t) => {
      const controlPlane = await TestControlPlane.start(t, installation);
      controlPlane.store.put('service', 's1', { name: 'one' });
      let peer = await RawPeer.connect(t, controlPlane.port, identity);
      let received = listen(peer);
      const say = (name: string, values: Readonly<Record<string, unknown>> = {}): void => {
        if (added === FUTURE && !name.startsWith('hello')) peer.send(UNKNOWN);
        peer.send(JSON.parse(textOfRecorded(GATEWAY, name, values, added)));
      };
      const kinds = (): string => received.map(({ kind }) => kind).join(' ');
      const assertReadable = (): void => {
        for (const message of received) {
          const recorded = CONTROL_PLANE.get(String(message.kind));
          if (recorded !== undefined) assert.deepEqual(missingFields(recorded, message), [], String(message.kind));
        }
      };
      say('hello');
      await eventually(() => kinds() === 'welcome snapshot-start snapshot-part snapshot-end');
      say('applied');
      await eventually(() => controlPlane.states().join() === 'gw-1 1 current');
      say('heartbeat');
      say('health');
      await eventually(() => controlPlane.publisher.instances('default')[0]?.health?.nodes.length === 2);
      controlPlane.store.put('route', 'r1', { service_id: 's1' });
      const refused = controlPlane.announce();
      await eventually(() => kinds().endsWith('snapshot-end delta'));
      say('refused');
      assert.deepEqual((await refused).lagging, ['gw-1']);
      say('snapshot-request');
      await eventually(() => kinds().endsWith('delta snapshot-start snapshot-part snapshot-end'));
      say('applied', { revision: 2 });
      await eventually(() => controlPlane.states().join() === 'gw-1 2 current');
      assertReadable();
      const history = received.findLast(({ kind }) => kind === 'snapshot-start')?.history;
      peer.socket.destroy();
      await eventually(() => controlPlane.states().length === 0);

      controlPlane.store.delete('service', 's1');
      peer = await RawPeer.connect(t, controlPlane.port, identity);
      received = listen(peer);
      say('hello-again', { revision: 2, history });
      await eventually(() => kinds() === 'welcome delta');
      assertReadable();
    });

    test('a control plane that speaks it is followed, and understands all that it is answered', async (t) => {
      const signer = new Signer(createSigningKey());
      const gateway = await OfflineGateway.start(t, await temporaryFolder(t));
      const hear = async (name: string, values: Readonly<Record<string, unknown>> = {}): Promise<void> => {
        if (added === FUTURE) await gateway.receive(JSON.stringify(UNKNOWN));
        await gateway.receive(textOfRecorded(CONTROL_PLANE, name, values, added));
      };
      await hear('welcome', { keySalt: Buffer.alloc(32, 7).toString('base64'), signingKey: signer.publicKey });
      // It writes usage without saying so.
      assert.equal(gateway.usageLink.acknowledges, false);
      await hear('heartbeat');
      await hear('snapshot-start');
      await hear('snapshot-part');
      await hear('snapshot-end', { signature: signature(signer, 'snapshot-end') });
      assert.deepEqual(gateway.applier.summary, ['service s1']);
      await hear('delta', { signature: signature(signer, 'delta') });
      assert.deepEqual(gateway.applier.summary, ['route r1']);
      assert.deepEqual(gateway.answers, ['1 applied', '3 applied']);
      for (const message of gateway.sent) assert.deepEqual(missingFields(GATEWAY.get('applied'), message), []);
      await gateway.reconnect();
      await assert.rejects(hear('reject'), /turned this instance away/);
    });
  });
}

test('all that a gateway says today has every field that a control plane of protocol 1 reads', async (t) => {
  const { server: certificate, authority } = await createInstallation();
  const identity = await createIdentity(authority, 'gw-1');
  const signer = new Signer(createSigningKey());
  const said: Readonly<Record<string, unknown>>[] = [];
  const peers: Duplex[] = [];
  const server = await startSyncServers({
    listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }],
    tls: { key: certificate.privateKey, cert: certificate.certificate, ca: authority.certificate },
    clock: systemClock,
    certificateClock: systemClock,
    log: new RecordingLogger(),
    onPeer: ({ socket, head }) => {
      peers.push(socket);
      const decoder = new FrameDecoder(MAX_FRAME_BYTES);
      const hear = (chunk: Buffer): void => {
        for (const text of decoder.push(chunk)) said.push(JSON.parse(text));
      };
      hear(head);
      socket.on('data', hear);
      const write = (name: string, values: Readonly<Record<string, unknown>> = {}): void => {
        socket.write(encodeFrame(JSON.parse(textOfRecorded(CONTROL_PLANE, name, values))));
      };
      write('welcome', { keySalt: Buffer.alloc(32, 7).toString('base64'), signingKey: signer.publicKey });
      write('snapshot-start');
      write('snapshot-part');
      write('snapshot-end', { signature: signature(signer, 'snapshot-end') });
      write('delta', { signature: signature(signer, 'delta') });
    },
  });
  t.after(() => {
    for (const socket of peers) socket.destroy();
    return server.close();
  });
  const gateway = await TestGateway.create(t, { port: server.ports[0] ?? 0, identity });
  gateway.applier.refuse = (revision) => (revision === 3 ? 'no' : undefined);
  await gateway.subscriber.start();
  await eventually(() => said.some(({ outcome }) => outcome === 'refused'));
  gateway.subscriber.reportHealth({
    nodes: [{ serviceId: 's1', upstreamId: 'u1', host: 'a.example', address: '192.0.2.1', port: 1, state: 'healthy' }],
    omitted: 0,
  });
  gateway.clock.advance(5_000);
  await eventually(() => said.some(({ kind }) => kind === 'heartbeat'));
  for (const message of said) {
    const recorded = message.outcome === 'refused' ? GATEWAY.get('refused') : GATEWAY.get(String(message.kind));
    assert.deepEqual(missingFields(recorded, message), [], String(message.kind));
  }
  assert.deepEqual([...new Set(said.map(({ kind }) => kind))].sort(), ['applied', 'health', 'heartbeat', 'hello']);
});
