import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';

/** The first bytes that a client of Node's sends with these options. */
export async function recordedHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  client.on('error', () => {});
  try {
    const [socket] = await once(server, 'connection');
    const [bytes] = await once(socket, 'data');
    socket.destroy();
    return bytes;
  } finally {
    client.destroy();
    server.close();
  }
}
