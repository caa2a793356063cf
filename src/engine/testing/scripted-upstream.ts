import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Cleanup } from './cleanup.ts';

/** An upstream that sends one text to whoever asks for `/`, ends its side, and answers all else properly. */
export async function startScriptedUpstream(end: Cleanup): Promise<{ readonly port: number; script: string }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let request = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      if (request.startsWith('GET / ')) socket.end(upstream.script, 'latin1');
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.split(' ')[1]?.length}\r\n\r\n${request.split(' ')[1]}`);
      request = '';
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  end.after(() => server.close());
  const address = server.address();
  const upstream = { port: typeof address === 'object' && address !== null ? address.port : 0, script: '' };
  return upstream;
}
