import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, request } from 'node:https';
import { before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect } from 'node:tls';
import { StartError } from '../errors/index.ts';
import { systemClock } from '../lib/clock.ts';
import { createAuthority, issueServerCertificate } from './certificate-authority.ts';
import { encodeFrame } from './frame-codec.ts';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

function snapshotsOf(peer: RawPeer): number {
  return peer.received.filter(({ kind }) => kind === 'snapshot-end').length;
}

/** Messages are taken in order: what was sent before this one was heard too. */
async function isHeard(controlPlane: TestControlPlane, peer: RawPeer): Promise<void> {
  peer.send({ kind: 'health', nodes: [], omitted: 0 });
  await eventually(() => controlPlane.publisher.instances('default')[0]?.health !== undefined);
}

function refusalsIn({ log }: TestControlPlane): number {
  return log.lines.filter(({ message }) => message === 'a gateway instance refused a revision').length;
}

describe('who may connect to a publisher', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  test('a client without a certificate, of another authority, or with a server certificate gets no sync connection', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const foreign = await createIdentity(await createAuthority(systemClock), 'gw-1');
    const { certificate: cert, privateKey: key } = await issueServerCertificate(installation.authority, { names: ['gw-1'] }, systemClock);
    const credentials = [{}, { cert: foreign.certificate, key: foreign.privateKey }, { cert, key }];
    for (const own of credentials) {
      const attempt = get({
        host: '127.0.0.1',
        port: controlPlane.port,
        path: '/sync',
        headers: { Connection: 'Upgrade', Upgrade: 'portcullis-sync' },
        agent: false,
        ca: installation.authority.certificate,
        ...own,
      });
      attempt.once('upgrade', () => assert.fail('it was let in'));
      const [response] = await once(attempt, 'response');
      assert.equal(response.statusCode, 403);
    }
    assert.deepEqual(controlPlane.states(), []);
  });

  test('TLS below 1.3 is refused', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const { authority: ca, certificate: cert, privateKey: key } = identity;
    const socket = connect({ host: '127.0.0.1', port: controlPlane.port, ca, cert, key, maxVersion: 'TLSv1.2' });
    const [error] = await once(socket, 'error');
    assert.match(String(error.code), /PROTOCOL_VERSION/);
  });

  test('with a certificate, only the upgrade of GET /sync leads anywhere', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const status = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<number | undefined> => {
      const { authority: ca, certificate: cert, privateKey: key } = identity;
      const asking = request({ host: '127.0.0.1', port: controlPlane.port, path, method, headers, agent: false, ca, cert, key });
      asking.end();
      const [response] = await once(asking, 'response');
      response.resume();
      return response.statusCode;
    };
    assert.equal(await status('/sync'), 426);
    assert.equal(await status('/'), 404);
    assert.equal(await status('/apisix/admin/services'), 404);
    assert.equal(await status('/other', { Connection: 'Upgrade', Upgrade: 'portcullis-sync' }), 404);
    assert.equal(await status('/sync', { Connection: 'Upgrade', Upgrade: 'websocket' }), 426);
    assert.equal(await status('/sync', { Connection: 'Upgrade', Upgrade: 'portcullis-sync' }, 'POST'), 404);
  });

  test('a gateway does not speak to a server that its authority did not certify for this address', async (t) => {
    const other = await createInstallation();
    const wrongName = await issueServerCertificate(installation.authority, { names: ['elsewhere.example'] }, systemClock);
    for (const server of [other.server, wrongName]) {
      const controlPlane = await TestControlPlane.start(t, { ...installation, server });
      const gateway = await TestGateway.create(t, { port: controlPlane.port, identity });
      await gateway.subscriber.start();
      await eventually(() => gateway.log.lines.some((line) => line.level === 'warn'));
      assert.equal(gateway.subscriber.isConnected, false);
    }
  });

  test('a port in use is told in one sentence', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const second = new TestControlPlane(installation, controlPlane.store, controlPlane.port);
    await assert.rejects(second.publisher.start(), (error: unknown) => error instanceof StartError && /in use/.test(error.message));
  });
});

describe('a peer with a certificate that does not keep to the protocol', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  const HELLO = { kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '0', revision: 0 };
  const hostile: readonly (readonly [string, Buffer])[] = [
    ['a length of four gigabytes', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['an empty frame', Buffer.from([0, 0, 0, 0])],
    ['no JSON', Buffer.from([0, 0, 0, 3, 0x7b, 0x7b, 0x7b])],
    ['no UTF-8', Buffer.from([0, 0, 0, 2, 0xff, 0xfe])],
    ['something before the hello', encodeFrame({ kind: 'snapshot-request' })],
    ['a hello of wrong types', encodeFrame({ ...HELLO, revision: '0' })],
    ['two hellos', Buffer.concat([encodeFrame(HELLO), encodeFrame(HELLO)])],
    [
      'an answer to what was never sent',
      Buffer.concat([encodeFrame(HELLO), encodeFrame({ kind: 'applied', revision: 99, outcome: 'applied' })]),
    ],
    ['a frame larger than a gateway has any use for', encodeFrame({ ...HELLO, padding: 'x'.repeat(70_000) })],
  ];

  test('is disconnected, and nobody else notices', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const well = await TestGateway.create(t, { port: controlPlane.port, identity: await createIdentity(installation.authority, 'well') });
    await well.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'well 0 current');
    for (const [what, bytes] of hostile) {
      const peer = await RawPeer.connect(t, controlPlane.port, identity);
      peer.socket.write(bytes);
      await eventually(() => peer.isClosed, what);
    }
    await eventually(() => controlPlane.states().join() === 'well 0 current');
    controlPlane.store.put('service', 's1');
    assert.deepEqual(await controlPlane.announce(), { applied: 1, expected: 1, lagging: [] });
  });

  test('is disconnected when it says nothing, or breaks off in the middle of a frame', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const mute = await RawPeer.connect(t, controlPlane.port, identity);
    const halfway = await RawPeer.connect(t, controlPlane.port, identity);
    halfway.socket.write(encodeFrame(HELLO).subarray(0, 10));
    controlPlane.clock.advance(10_000);
    await Promise.all([mute.closed(), halfway.closed()]);
    assert.deepEqual(controlPlane.states(), []);
  });

  test('is told why when it speaks another protocol', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.hello(0, 9);
    await peer.closed();
    assert.deepEqual(peer.received, [
      { kind: 'reject', reason: 'this gateway (0) is newer than this control plane (0.1.0-test): upgrade the control planes first' },
    ]);
  });

  test('unknown messages and fields of a later version are passed over', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.send({ ...HELLO, protocol: 2, addedLater: true });
    peer.send({ kind: 'of-a-later-version', rows: [] });
    await eventually(() => peer.received.some((message) => message.kind === 'snapshot-end'));
    peer.send({ kind: 'applied', revision: 0, outcome: 'applied' });
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
  });

  test('a peer that does not read is sent no more and costs no memory; when it reads, one delta leads on', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.hello();
    await eventually(() => peer.received.some((message) => message.kind === 'snapshot-end'));
    peer.send({ kind: 'applied', revision: 0, outcome: 'applied' });
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
    peer.socket.pause();
    const writes = 120;
    for (let i = 0; i < writes; i++) {
      controlPlane.publisher.groupChanged('default', controlPlane.store.put('route', 'large', { desc: 'x'.repeat(400_000) }));
      await setImmediate();
    }
    await eventually(() => controlPlane.states().join() === 'gw-1 0 lagging');
    peer.socket.resume();
    await eventually(() => peer.received.some((message) => message.kind === 'delta' && message.toRevision === writes));
    const deltas = peer.received.filter((message) => message.kind === 'delta');
    assert.ok(deltas.length < writes / 2, `${deltas.length} deltas were sent`);
  });

  test('gets no more snapshots and log lines than an honest one has use for, and what it asked for in the end', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const join = async (): Promise<RawPeer> => {
      const peer = await RawPeer.connect(t, controlPlane.port, identity);
      peer.hello();
      await eventually(() => peer.received.some(({ kind }) => kind === 'welcome'));
      return peer;
    };
    const first = await join();
    // The first ten are sent at once, that of a newcomer among them.
    for (let count = 1; count <= 10; count++) {
      await eventually(() => snapshotsOf(first) === count);
      if (count < 10) first.send({ kind: 'snapshot-request' });
    }
    first.send({ kind: 'applied', revision: 1, outcome: 'applied' });
    for (let count = 0; count < 70; count++) {
      first.send({ kind: 'snapshot-request' });
      first.send({ kind: 'applied', revision: 1, outcome: 'refused', reason: 'no' });
    }
    await isHeard(controlPlane, first);
    assert.deepEqual([snapshotsOf(first), refusalsIn(controlPlane)], [10, 60]);
    // Coming back with nothing gains nothing.
    const second = await join();
    second.send({ kind: 'snapshot-request' });
    await isHeard(controlPlane, second);
    assert.equal(snapshotsOf(second), 0);
    controlPlane.clock.advance(10_000);
    await eventually(() => snapshotsOf(second) === 1);
    second.send({ kind: 'applied', revision: 1, outcome: 'refused', reason: 'no' });
    await eventually(() => refusalsIn(controlPlane) === 61);
    second.send({ kind: 'snapshot-request' });
    second.send({ kind: 'applied', revision: 1, outcome: 'refused', reason: 'no' });
    await eventually(() => controlPlane.states().join().endsWith('lagging'));
    controlPlane.clock.advance(10_000);
    await eventually(() => snapshotsOf(second) === 2);
  });

  test('may answer once whatever it is sent; one that answers over and over is closed, also when it comes back', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const first = await RawPeer.connect(t, controlPlane.port, identity);
    first.hello();
    await eventually(() => snapshotsOf(first) === 1);
    for (let revision = 1; revision <= 100; revision++) {
      controlPlane.publisher.groupChanged('default', controlPlane.store.put('service', 's1'));
      await eventually(() => first.received.some((message) => message.kind === 'delta' && message.toRevision === revision));
      first.send({ kind: 'applied', revision, outcome: 'applied' });
      await eventually(() => controlPlane.states().join() === `gw-1 ${revision} current`);
    }
    for (let count = 0; count < 100; count++) first.send({ kind: 'applied', revision: 100, outcome: 'applied' });
    await first.closed();
    const cause = 'the peer answers much more often than it is sent something';
    await eventually(() => controlPlane.log.lines.some(({ fields }) => fields.cause === cause));
    const second = await RawPeer.connect(t, controlPlane.port, identity);
    second.hello();
    await eventually(() => second.received.some(({ kind }) => kind === 'welcome'));
    for (let count = 0; count < 10; count++) second.send({ kind: 'applied', revision: 100, outcome: 'refused', reason: 'no' });
    await second.closed();
    // An honest one is let in all the same, and later this one too.
    controlPlane.clock.advance(60_000);
    const third = await RawPeer.connect(t, controlPlane.port, identity);
    third.hello();
    await eventually(() => snapshotsOf(third) === 1);
    third.send({ kind: 'applied', revision: 100, outcome: 'applied' });
    await eventually(() => controlPlane.states().join() === 'gw-1 100 current');
  });

  test('an instance that holds a revision of another history gets a snapshot, never a delta', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    controlPlane.store.put('service', 's1');
    const peer = await RawPeer.connect(t, controlPlane.port, identity);
    peer.hello(100);
    await eventually(() => peer.received.some((message) => message.kind === 'snapshot-end'));
    peer.send({ kind: 'applied', revision: 1, outcome: 'refused', reason: 'older' });
    await eventually(() => controlPlane.states().join().endsWith('lagging'));
    controlPlane.store.put('service', 's2');
    assert.deepEqual(await controlPlane.announce(0), { applied: 0, expected: 1, lagging: ['gw-1'] });
    assert.deepEqual(
      peer.received.map((message) => message.kind),
      ['welcome', 'snapshot-start', 'snapshot-part', 'snapshot-end'],
    );
  });
});
