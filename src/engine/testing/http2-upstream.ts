import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { FLAG, FRAME, fieldBlock, Http2Frames } from './http2-frames.ts';

/** An upstream of HTTP/2 whose every frame a test writes. */
export interface Http2Upstream {
  readonly port: number;
  readonly connections: readonly Http2Frames[];
  /** The connection of this number, counted from 0, behind the settings of both sides. */
  connection(number: number): Promise<Http2Frames>;
}

export async function startHttp2Upstream(test: Pick<TestContext, 'after'>): Promise<Http2Upstream> {
  const connections: Http2Frames[] = [];
  const events = new EventEmitter();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    const frames = new Http2Frames(socket, true);
    frames.send(FRAME.settings, 0, 0);
    connections.push(frames);
    events.emit('connection');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  test.after(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections,
    connection: async (number) => {
      for (;;) {
        const found = connections[number];
        if (found !== undefined) return found;
        await once(events, 'connection');
      }
    },
  };
}

/** Waits for a request's head on this stream, or for the end of its body where it has one. */
export async function requestOn(frames: Http2Frames, stream: number, whole = true): Promise<void> {
  await frames.frame(({ type, flags, stream: on }) => {
    const isEnd = (flags & FLAG.endStream) !== 0;
    return on === stream && (type === FRAME.headers || type === FRAME.data) && (isEnd || !whole);
  });
}

/** The head of an answer of gRPC. */
export function answerHead(frames: Http2Frames, stream: number, endStream = false): void {
  const fields = [
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ...(endStream ? ([['grpc-status', '7']] as const) : []),
  ] as const;
  frames.send(FRAME.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), stream, fieldBlock(fields));
}

/** A RST_STREAM with this code. */
export function resetStream(frames: Http2Frames, stream: number, code: number): void {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  frames.send(FRAME.rstStream, 0, stream, payload);
}
