import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectInClear, type Socket } from 'node:net';
import { before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import type { SubscriberIdentity } from './sync-client.ts';
import { eventually } from './test-support/eventually.ts';
import { RawPeer } from './test-support/raw-peer.ts';
import { createIdentity, createInstallation, type Installation, TestControlPlane, TestGateway } from './test-support/sync-fixture.ts';

const FLOOD = 600;

describe('clients that do not show who they are', () => {
  let installation: Installation;
  let identity: SubscriberIdentity;
  before(async () => {
    installation = await createInstallation();
    identity = await createIdentity(installation.authority, 'gw-1');
  });

  /** Resolves when the server has answered that the client may not be here. */
  async function refused(port: number): Promise<Socket> {
    const half = connectInClear({ host: '127.0.0.1', port, allowHalfOpen: true });
    half.on('error', () => undefined);
    const socket = connect({ socket: half, rejectUnauthorized: false });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    socket.write('GET /sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: portcullis-sync\r\n\r\n');
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 403 /);
    return socket;
  }

  test('are hung up on when they are refused, whether they hang up or not', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const socket = await refused(controlPlane.port);
    t.after(() => socket.destroy());
    // What is written to a connection that is gone comes back as its end; a half of one would take it for ever.
    const isOver = new Promise((resolve) => socket.once('close', resolve));
    const writing = (): void => {
      if (!socket.destroyed) socket.write('more\r\n', () => setImmediate(writing));
    };
    writing();
    await isOver;
  });

  test('take no more places than there are for them, and nobody else’s', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const sockets: Socket[] = [];
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    const hungUp = Promise.withResolvers<void>();
    let ends = 0;
    for (let count = 0; count < FLOOD; count += 1) {
      const socket = connectInClear({ host: '127.0.0.1', port: controlPlane.port });
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        ends += 1;
        if (ends >= FLOOD - 512) hungUp.resolve();
      });
      await once(socket, 'connect');
    }
    await hungUp.promise;
    const gateway = await TestGateway.create(t, { port: controlPlane.port, identity });
    await gateway.subscriber.start();
    await eventually(() => controlPlane.states().join() === 'gw-1 0 current');
  });

  test('do not hold up the end of a control plane', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const silent = connectInClear({ host: '127.0.0.1', port: controlPlane.port });
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    // Taken in after the silent one, so that this one is known too.
    await refused(controlPlane.port);
    const isOver = new Promise((resolve) => silent.once('close', resolve));
    await controlPlane.publisher.close();
    await isOver;
  });

  test('an instance that never says hello has a few connections, the newest ones', async (t) => {
    const controlPlane = await TestControlPlane.start(t, installation);
    const peers: RawPeer[] = [];
    for (let count = 0; count < 6; count += 1) peers.push(await RawPeer.connect(t, controlPlane.port, identity));
    await peers[0]?.closed();
    await peers[1]?.closed();
    assert.deepEqual(
      peers.map(({ isClosed }) => isClosed),
      [true, true, false, false, false, false],
    );
  });
});
