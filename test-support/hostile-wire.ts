import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';

/**
 * What a network does to bytes. `open`: nothing. `cut`: connections are reset, new ones too. `half-open`: connections stand, and nothing goes
 * through. `slow`: every piece comes late. `trickle`: a few bytes at a time.
 */
export type WireFault = 'open' | 'cut' | 'half-open' | 'slow' | 'trickle';

const SLOW_MS = 300;
const TRICKLE_BYTES = 700;
const TRICKLE_MS = 20;

/** A network between a client and a server, which a test makes worse and better. */
export interface HostileWire {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number;
  /** That servers have sent so far. */
  readonly bytesFromServer: number;
  /** The server's own address, through the wire. */
  through(url: string): string;
  /** Resets all connections; new ones are as the fault of the moment says. */
  reset(): void;
  /** From now on. A `half-open` wire that becomes another one resets what stood, because bytes are missing there. */
  use(fault: WireFault): void;
}

/** Lays such a network to a server. */
export async function startHostileWire(
  scope: { after(task: () => unknown): void },
  server: { readonly host?: string; readonly port: number },
): Promise<HostileWire> {
  const sockets = new Set<Socket>();
  let fault: WireFault = 'open';
  let bytesFromServer = 0;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const resetAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const wire = createServer((client) => {
    keep(client);
    if (fault === 'cut') return void client.resetAndDestroy();
    const target = dial(server.port, server.host ?? '127.0.0.1');
    keep(target);
    target.on('data', (bytes: Buffer) => {
      bytesFromServer += bytes.length;
    });
    pass(client, target, () => fault);
    pass(target, client, () => fault);
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
  scope.after(() => {
    resetAll();
    wire.close();
  });
  const address = wire.address();
  if (address === null || typeof address === 'string') throw new Error('the wire has no port');
  return {
    port: address.port,
    get bytesFromServer() {
      return bytesFromServer;
    },
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(address.port);
      return changed.href;
    },
    reset: resetAll,
    use(next) {
      const lostBytes = fault === 'half-open' && next !== 'half-open';
      fault = next;
      if (next === 'cut' || lostBytes) resetAll();
    },
  };
}

/** Hands on in order, as the fault of the moment says. */
function pass(from: Socket, to: Socket, faultNow: () => WireFault): void {
  let lastPiece = Promise.resolve();
  from.on('data', (bytes: Buffer) => {
    if (faultNow() === 'half-open') return;
    from.pause();
    lastPiece = lastPiece.then(() => handOn(bytes, to, faultNow)).then(() => void from.resume());
  });
  from.on('close', () => void lastPiece.then(() => to.destroy()));
}

async function handOn(bytes: Buffer, to: Socket, faultNow: () => WireFault): Promise<void> {
  if (faultNow() === 'slow') await after(SLOW_MS);
  for (let start = 0; start < bytes.length && !to.destroyed; ) {
    const isTrickle = faultNow() === 'trickle';
    const end = isTrickle ? Math.min(bytes.length, start + TRICKLE_BYTES) : bytes.length;
    to.write(bytes.subarray(start, end));
    start = end;
    if (isTrickle) await after(TRICKLE_MS);
  }
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/** Lays such a network to the server of a database URL. */
export function startHostileDatabaseWire(scope: Parameters<typeof startHostileWire>[0], url: string): Promise<HostileWire> {
  const { hostname, port } = new URL(url);
  return startHostileWire(scope, { host: hostname, port: Number(port || '5432') });
}
