import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AcceptedConnection } from './accepted-connection.ts';
import { ClientListener } from './client-listener.ts';
import { connectTransport } from './connect-transport.ts';
import { writesToHandles } from './quick-sockets.ts';
import type { Transport } from './transport.ts';
import type { TransportKind } from './transport-kind.ts';
import { expect, TransportProbe } from './transport-probe.ts';

const LOOPBACK = '127.0.0.1';
const READ_BUFFER_BYTES = 64 * 1024;

/** One end of a connection under test. */
interface End {
  readonly probe: TransportProbe;
  readonly transport: Transport;
}

/**
 * Drives connections on the loopback address with this kind of transport at both ends. Rejects, naming what is wrong, unless bytes
 * arrive exactly and in order, pausing holds them back, pending writes are counted, reported and never overwritten, an end
 * arrives with the other direction still open, and a reset is seen as one; and when all that takes more than `limitMs`.
 */
export async function checkTransport(kind: TransportKind, limitMs: number): Promise<void> {
  const stop = new AbortController();
  const tooLong = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`the check took more than ${limitMs} ms`)), limitMs);
    stop.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    await Promise.race([runCheck(kind, stop.signal), tooLong]);
  } finally {
    stop.abort();
  }
}

async function runCheck(kind: TransportKind, stop: AbortSignal): Promise<void> {
  if (kind === 'handle') await checkHandleWrites(stop);
  const bed = await TestBed.open(kind, stop);
  const [client, server] = await bed.pair();
  await checkDirection(client, server);
  await checkDirection(server, client);
  await checkEnds(client, server);
  const [leaving, left] = await bed.pair();
  leaving.transport.reset();
  await left.probe.until(() => left.probe.closed);
  expect(left.probe.failure === 'ECONNRESET', 'a reset was not seen as one');
}

/** Bytes from one end to the other: a few, then more than the kernel takes while the receiver is paused. */
async function checkDirection(from: End, to: End): Promise<void> {
  from.probe.sendBlock(from.transport);
  await to.probe.until(() => to.probe.received === from.probe.sent);
  const receivedBefore = to.probe.received;
  const flushesBefore = from.probe.flushes;
  to.transport.pause();
  to.probe.paused = true;
  from.probe.sendUntilPending(from.transport);
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  expect(to.probe.received === receivedBefore, 'bytes arrived while it was paused');
  expect(from.probe.flushes === flushesBefore, 'pending writes were reported as taken');
  to.probe.paused = false;
  to.transport.resume();
  await to.probe.until(() => to.probe.received === from.probe.sent);
  await from.probe.until(() => from.probe.flushes > flushesBefore);
  expect(from.transport.pendingBytes === 0, 'bytes count as pending after they were taken');
}

/** Either end says that it sends nothing more, and the other may go on until it says so too. */
async function checkEnds(first: End, second: End): Promise<void> {
  first.transport.end();
  await second.probe.until(() => second.probe.ended);
  expect(!second.probe.closed, 'the end of one direction closed both');
  second.probe.sendBlock(second.transport);
  await first.probe.until(() => first.probe.received === second.probe.sent);
  second.transport.end();
  for (const { probe } of [first, second]) {
    await probe.until(() => probe.closed);
    expect(probe.failure === undefined, `an orderly end was seen as ${probe.failure}`);
  }
}

async function checkHandleWrites(stop: AbortSignal): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  stop.addEventListener('abort', () => server.close());
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const socket = connect(portOf(server.address()), LOOPBACK);
  socket.on('error', () => {});
  stop.addEventListener('abort', () => socket.destroy());
  await once(socket, 'connect');
  const fits = writesToHandles(socket);
  socket.destroy();
  expect(fits, 'this Node writes to its handles in another form');
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Makes pairs of connected transports, and takes them down when told to. */
class TestBed {
  readonly #kind: TransportKind;
  readonly #stop: AbortSignal;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #accepted: AcceptedConnection[] = [];
  #onAccepted: (() => void) | undefined = undefined;
  #port = 0;

  private constructor(kind: TransportKind, stop: AbortSignal) {
    this.#kind = kind;
    this.#stop = stop;
  }

  static async open(kind: TransportKind, stop: AbortSignal): Promise<TestBed> {
    const bed = new TestBed(kind, stop);
    const listener = new ClientListener({
      transport: kind,
      tls: undefined,
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      onAccepted: (connection) => {
        bed.#accepted.push(connection);
        bed.#onAccepted?.();
      },
      onFailure: () => {},
    });
    stop.addEventListener('abort', () => listener.close());
    bed.#port = (await listener.listen({ host: LOOPBACK, port: 0 })).port;
    return bed;
  }

  async pair(): Promise<readonly [client: End, server: End]> {
    const probe = new TransportProbe();
    let connected = false;
    const options = { transport: this.#kind, host: LOOPBACK, port: this.#port, readBuffer: this.#readBuffer };
    const transport = connectTransport(options, probe, () => {
      connected = true;
    });
    this.#stop.addEventListener('abort', () => transport.destroy());
    // Written before there is a connection, as a request to a fresh upstream is.
    probe.sendBlock(transport);
    const accepted = await this.#nextAccepted();
    expect(accepted.remoteAddress === LOOPBACK && accepted.localPort === this.#port, 'the addresses of a connection are wrong');
    const serverProbe = new TransportProbe();
    const serverTransport = accepted.open(serverProbe);
    this.#stop.addEventListener('abort', () => serverTransport.destroy());
    await serverProbe.until(() => serverProbe.received === probe.sent);
    expect(connected, 'a connection was not reported');
    return [
      { probe, transport },
      { probe: serverProbe, transport: serverTransport },
    ];
  }

  async #nextAccepted(): Promise<AcceptedConnection> {
    for (;;) {
      const connection = this.#accepted.shift();
      if (connection !== undefined) return connection;
      await new Promise<void>((resolve) => {
        this.#onAccepted = resolve;
      });
    }
  }
}
