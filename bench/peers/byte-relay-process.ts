import { connect, createServer, Socket } from 'node:net';

// Run as: byte-relay-process.ts <upstream port>
const [upstreamPort = ''] = process.argv.slice(2);

/** One for all connections: what was read is with the kernel before the next is read, unless a write queues; then it is copied. */
const bytes = Buffer.allocUnsafeSlow(64 * 1024);

function onreadTo(other: () => Socket): object {
  const callback = (length: number): boolean => {
    const socket = other();
    const read = bytes.subarray(0, length);
    socket.write(socket.writableLength > 0 || socket.connecting ? Buffer.from(read) : read);
    return true;
  };
  return { buffer: bytes, callback };
}

const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
  const handle: unknown = Reflect.get(accepted, '_handle');
  // The handle moves to a socket that reads into one buffer, which Node offers for sockets that connect only.
  Object.assign(accepted, { _handle: null });
  const onward: object = { onread: onreadTo(() => client) };
  const upstream: Socket = connect({ host: '127.0.0.1', port: Number(upstreamPort), noDelay: true, ...onward });
  const options: object = { handle, onread: onreadTo(() => upstream) };
  const client = new Socket(options);
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    socket.on('error', () => other.destroy());
    socket.on('close', () => other.destroy());
  }
  client.resume();
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.on('SIGTERM', () => process.exit(0));
