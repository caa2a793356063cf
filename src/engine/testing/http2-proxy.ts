import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type SecureClientSessionOptions } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { HttpServerOptions } from '../http-server.ts';
import { Http2Frames } from './http2-frames.ts';
import { startProxy, type TestProxy } from './test-engine.ts';

/** An engine that forwards everything to one upstream, on a port that speaks HTTP/2 in clear, too. */
export interface Http2Proxy extends TestProxy {
  /** A session of Node's own client. */
  session(options?: SecureClientSessionOptions): ClientHttp2Session;
  /** A connection on which the test writes every frame. */
  frames(): Promise<Http2Frames>;
  socket(): Promise<Socket>;
}

export async function startHttp2Proxy(test: Pick<TestContext, 'after'>, options: Partial<HttpServerOptions> = {}): Promise<Http2Proxy> {
  const proxy = await startProxy(test, { http2Cleartext: true, ...options });
  const sessions: ClientHttp2Session[] = [];
  const sockets: Socket[] = [];
  test.after(() => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  });
  const socket = async (): Promise<Socket> => {
    const made = connectSocket({ host: '127.0.0.1', port: proxy.port, noDelay: true });
    sockets.push(made);
    made.on('error', () => {});
    await once(made, 'connect');
    return made;
  };
  return {
    ...proxy,
    socket,
    session: (given) => {
      const session = connect(`http://127.0.0.1:${proxy.port}`, given);
      session.on('error', () => {});
      sessions.push(session);
      return session;
    },
    frames: async () => new Http2Frames(await socket()),
  };
}

/** What a client got of one request. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
  readonly rstCode: number;
}

/** Reads what comes on a stream of Node's client until it closes. */
export async function readAnswer(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: Readonly<Record<string, unknown>> = {};
  let trailers: Readonly<Record<string, unknown>> = {};
  const body: Buffer[] = [];
  stream.on('response', (got) => {
    headers = { ...got };
  });
  stream.on('trailers', (got) => {
    trailers = { ...got };
  });
  stream.on('data', (bytes: Buffer) => body.push(bytes));
  stream.on('error', () => {});
  if (!stream.closed || !stream.destroyed) await new Promise((resolve) => stream.once('close', resolve));
  return { status: Number(headers[':status'] ?? 0), headers, body: Buffer.concat(body), trailers, rstCode: stream.rstCode ?? 0 };
}
