import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { chooseTransport } from './choose-transport.ts';
import { writesToHandles } from './quick-sockets.ts';
import type { Transport } from './transport.ts';
import { TRANSPORT_KINDS, type TransportKind } from './transport-kind.ts';
import { expect, TransportProbe } from './transport-probe.ts';
import { checkTransport } from './transport-self-check.ts';

for (const kind of TRANSPORT_KINDS) {
  test(`the self-check passes on this Node, ${kind}`, async () => {
    await checkTransport(kind, 30_000);
  });
}

test('a self-check that takes too long rejects', async () => {
  await assert.rejects(checkTransport('handle', 0), /the check took more than 0 ms/);
});

test('the quickest transport that passes its check is chosen', async () => {
  const asked: TransportKind[] = [];
  const choice = await chooseTransport('auto', async (kind) => void asked.push(kind));
  assert.deepEqual(choice, { kind: 'handle', refused: [] });
  assert.deepEqual(asked, ['handle']);
});

test('a transport that fails its check is passed over, and the choice says why', async () => {
  const choice = await chooseTransport('auto', async (kind) => {
    if (kind === 'handle') throw new Error('bytes arrived while it was paused');
  });
  assert.deepEqual(choice, { kind: 'onread', refused: [{ kind: 'handle', failure: 'bytes arrived while it was paused' }] });
});

test('documented interfaces remain where every check fails, whatever is thrown', async () => {
  const choice = await chooseTransport('auto', () => Promise.reject('no'));
  assert.equal(choice.kind, 'documented');
  assert.deepEqual(
    choice.refused.map(({ kind }) => kind),
    ['handle', 'onread'],
  );
});

test('a check has the time that a busy machine needs', async () => {
  const limitsMs: number[] = [];
  await chooseTransport('auto', async (_, limitMs) => void limitsMs.push(limitMs));
  assert.deepEqual(limitsMs, [10_000]);
});

test('documented interfaces are used unchecked where that is wished', async () => {
  assert.deepEqual(await chooseTransport('documented', () => assert.fail()), { kind: 'documented', refused: [] });
});

test('what is quicker than wished is not even checked', async () => {
  const asked: TransportKind[] = [];
  const choice = await chooseTransport('onread', async (kind) => void asked.push(kind));
  assert.deepEqual([choice, asked], [{ kind: 'onread', refused: [] }, ['onread']]);
});

test('where the wished one fails its check, documented interfaces remain', async () => {
  const choice = await chooseTransport('onread', () => Promise.reject(new Error('no')));
  assert.deepEqual(choice, { kind: 'documented', refused: [{ kind: 'onread', failure: 'no' }] });
});

/** A socket with a server behind it that reads everything. */
async function connectedSocket(): Promise<{ readonly socket: Socket; close(): void }> {
  const server = createServer((accepted) => accepted.on('error', () => {}).resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  const close = (): void => {
    socket.destroy();
    server.close();
  };
  return { socket, close };
}

test('a Node that writes to its handles in another form is recognised without writing to one', async (t) => {
  const { socket, close } = await connectedSocket();
  t.after(close);
  assert.equal(writesToHandles(socket), true);
  // Older ones give their handles a request object to fill in.
  const write = socket._write;
  socket._write = (bytes, _encoding, callback) => {
    Reflect.apply(Reflect.get(Reflect.get(socket, '_handle'), 'writeBuffer'), undefined, [{}, bytes]);
    callback();
  };
  assert.equal(writesToHandles(socket), false);
  socket._write = write;
});

/** A transport that does nothing but say of each write what it is told to. */
function silentTransport(reusable: boolean, pendingBytes: number): Transport {
  const nothing = (): void => {};
  return {
    pendingBytes,
    takenBytes: 0,
    write: () => reusable,
    pause: nothing,
    resume: nothing,
    end: nothing,
    destroy: nothing,
    reset: nothing,
  };
}

function blockOf(probe: TransportProbe): Buffer {
  const written: Buffer[] = [];
  const write = (bytes: Buffer): boolean => {
    written.push(Buffer.from(bytes));
    return true;
  };
  probe.sendBlock({ ...silentTransport(true, 0), write });
  return Buffer.concat(written);
}

test('a probe finds a changed byte, a lost block, a doubled block and bytes during a pause', async () => {
  const sender = new TransportProbe();
  const first = blockOf(sender);
  const second = blockOf(sender);
  const changed = Buffer.from(first);
  changed[77_000] = 1;
  for (const wrong of [changed, second, Buffer.concat([first, first])]) {
    const probe = new TransportProbe();
    probe.onBytes(wrong, wrong.length);
    await assert.rejects(
      probe.until(() => true),
      /are not those that were sent/,
    );
  }
  const paused = new TransportProbe();
  paused.paused = true;
  paused.onBytes(first, 10);
  await assert.rejects(
    paused.until(() => true),
    /while it was paused/,
  );
  const right = new TransportProbe();
  right.onBytes(first.subarray(0, 1000), 1000);
  right.onBytes(Buffer.concat([first.subarray(1000), second]), first.length + second.length - 1000);
  await right.until(() => right.received === first.length + second.length);
});

test('a probe finds wrong counts of pending bytes and writes that never wait', () => {
  assert.throws(() => new TransportProbe().sendUntilPending(silentTransport(true, 5)), /given back and yet count as pending/);
  assert.throws(() => new TransportProbe().sendUntilPending(silentTransport(false, 5)), /count of pending bytes is wrong/);
  assert.throws(() => new TransportProbe().sendUntilPending(silentTransport(true, 0)), /never become pending/);
  assert.throws(() => expect(false, 'named'), /^Error: named$/);
});
