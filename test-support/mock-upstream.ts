import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { ByteReader } from './byte-reader.ts';
import { type HeaderPairs, type MessageBody, readMessageBody, readMessageHead, valuesOf } from './http-message.ts';

/** One request as the upstream received it. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderPairs;
  readonly body: Buffer;
  readonly trailers: HeaderPairs;
  /** Head and body as they came over the wire, framing included. */
  readonly bytes: Buffer;
  /** Which connection it came on, counted from 0. */
  readonly connection: number;
  /** All values of a header, by any spelling of its name. */
  values(name: string): readonly string[];
}

/**
 * Answers a request: bytes to send (text as latin1), or undefined when the handler has written to the socket itself or never
 * answers. Further requests of the connection wait until it is done.
 */
export type MockHandler = (
  request: RecordedRequest,
  socket: Socket,
) => string | Uint8Array | undefined | Promise<string | Uint8Array | undefined>;

export interface MockUpstreamOptions {
  /** `head`: the handler is called before the body is read, and the recorded body is empty. Default `end`. */
  readonly answerAt?: 'head' | 'end';
  /** Takes the connection as it is accepted; nothing is read or recorded. */
  readonly onConnection?: (socket: Socket) => void;
}

/** A running upstream. */
export interface MockUpstream {
  readonly host: string;
  readonly port: number;
  /** In the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** How many connections were accepted. */
  readonly acceptedConnections: number;
  readonly openConnections: number;
  /** What went wrong while reading requests: the client under test sent something malformed. */
  readonly faults: readonly unknown[];
  /** Cuts all connections and listens no more; called when the test ends. */
  stop(): Promise<void>;
}

/** A complete answer with `Content-Length`. */
export function httpAnswer(status: number, body: string | Uint8Array = '', headers: HeaderPairs = []): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const framing = status < 200 || status === 204 || status === 304 ? '' : `Content-Length: ${bytes.length}\r\n`;
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Mock\r\n${lines}${framing}\r\n`, 'latin1'), bytes]);
}

/** An upstream on a free port of 127.0.0.1 that records what it gets and answers as a test says; without a handler, 200 `ok`. */
export async function startMockUpstream(
  test: Pick<TestContext, 'after'>,
  handler: MockHandler = () => httpAnswer(200, 'ok'),
  options: MockUpstreamOptions = {},
): Promise<MockUpstream> {
  const requests: RecordedRequest[] = [];
  const faults: unknown[] = [];
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const connection = accepted++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    if (options.onConnection !== undefined) options.onConnection(socket);
    else
      serve({ socket, connection, handler, requests, answerAt: options.answerAt ?? 'end' }).catch((error: unknown) => faults.push(error));
  });
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  test.after(stop);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: '127.0.0.1',
    port,
    requests,
    faults,
    stop,
    get acceptedConnections() {
      return accepted;
    },
    get openConnections() {
      return open.size;
    },
  };
}

interface ServedConnection {
  readonly socket: Socket;
  readonly connection: number;
  readonly handler: MockHandler;
  readonly requests: RecordedRequest[];
  readonly answerAt: 'head' | 'end';
}

const NO_BODY: MessageBody = { body: Buffer.alloc(0), trailers: [], bytes: Buffer.alloc(0) };

async function serve(served: ServedConnection): Promise<void> {
  const { socket, connection, handler, requests, answerAt } = served;
  const reader = new ByteReader(socket);
  for (;;) {
    const head = await readMessageHead(reader);
    if (head === undefined) {
      socket.end();
      return;
    }
    const [method = '', target = ''] = head.startLine.split(' ');
    const content = answerAt === 'end' ? await readMessageBody(reader, head.headers, { toEnd: false }) : NO_BODY;
    const request: RecordedRequest = {
      method,
      target,
      headers: head.headers,
      body: content.body,
      trailers: content.trailers,
      bytes: Buffer.concat([head.bytes, content.bytes]),
      connection,
      values: (name) => valuesOf(head.headers, name),
    };
    requests.push(request);
    const answer = await handler(request, socket);
    if (answer !== undefined) socket.write(typeof answer === 'string' ? Buffer.from(answer, 'latin1') : answer);
    if (answerAt === 'head') await readMessageBody(reader, head.headers, { toEnd: false });
  }
}
