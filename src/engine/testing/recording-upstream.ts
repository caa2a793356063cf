import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { readReferenceRequest } from './reference-request.ts';

/** An upstream that keeps every byte it gets, reads requests with the reference parser and answers each whole one. */
export interface RecordingUpstream {
  readonly port: number;
  /** What arrived since `clear`, on whichever connections, in the order in which it did; one character for each byte. */
  received(): string;
  /** `METHOD target` of each whole request since `clear`. */
  requests(): readonly string[];
  clear(): void;
  close(): void;
}

/** Listens on a free port of 127.0.0.1. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  let received: string[] = [];
  let requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let unread = '';
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      received.push(text);
      unread += text;
      for (;;) {
        const reading = readReferenceRequest(unread, DEFAULT_ENGINE_LIMITS);
        if (reading.kind === 'refused' || reading.kind === 'bad body') socket.destroy();
        if (reading.kind !== 'whole') return;
        unread = unread.slice(reading.end);
        const { method, target } = reading.head;
        requests.push(`${method} ${target}`);
        const body = method === 'HEAD' ? '' : target;
        socket.write(`HTTP/1.1 200 OK\r\nX-Target: ${target}\r\nContent-Length: ${target.length}\r\n\r\n${body}`, 'latin1');
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received: () => received.join(''),
    requests: () => requests,
    clear: () => {
      received = [];
      requests = [];
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
