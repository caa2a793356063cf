import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer as createSocketServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { testTransport } from '../testing/test-transport.ts';
import { type Http2Dial, http2Dial } from './dial-http2.ts';
import { StoredBytes } from './session/stored-bytes.ts';
import { UpstreamSessions } from './upstream-sessions.ts';
import { UpstreamStream } from './upstream-stream.ts';

const GET = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');

/** An upstream whose connections speak HTTP/2 when the test says, and requests to it. */
async function startUpstream(t: TestContext) {
  const http2 = createServer();
  const sockets: Socket[] = [];
  const arrivals = new EventEmitter();
  const listener: Server = createSocketServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    arrivals.emit('socket', socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(typeof address === 'object' && address !== null);
  const reading = { transport: testTransport(), readBuffer: Buffer.alloc(64 * 1024) };
  const dial = http2Dial({ address: '127.0.0.1', port: address.port, tls: undefined }, { session: undefined }, reading);
  /** Each emits 'ended' when the gateway has ended it, and 'close' when it is closed. */
  const dialled: EventEmitter[] = [];
  const noted: Http2Dial = (receiver, onFailure) => {
    const connection = new EventEmitter();
    dialled.push(connection);
    const onClose = (failure: string | undefined): void => {
      receiver.onClose(failure);
      connection.emit('close');
    };
    const { onBytes, onEnd, onFlushed } = receiver;
    const heard = { onBytes: onBytes.bind(receiver), onEnd: onEnd.bind(receiver), onFlushed: onFlushed.bind(receiver), onClose };
    const transport = dial(heard, onFailure);
    const end = transport.end.bind(transport);
    transport.end = () => {
      end();
      connection.emit('ended');
    };
    return transport;
  };
  const sessions = new UpstreamSessions(
    noted,
    new FakeClock(),
    { size: 10, idleTimeoutMs: 60_000, requests: 1000 },
    3_600_000,
    new StoredBytes(1024),
  );
  t.after(() => {
    sessions.destroy();
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const speak = (socket: Socket): void => void http2.emit('connection', socket);
  return { http2, listener, sessions, dialled, arrivals, speak };
}

/** A request as it is to the engine, with what has come of its answer. */
class Call {
  readonly stream: UpstreamStream;
  readonly #events = new EventEmitter();
  text = '';
  over = false;
  connected = false;

  constructor(sessions: UpstreamSessions, sends = true) {
    const receiver = {
      onBytes: (bytes: Buffer, length: number) => {
        this.text += bytes.toString('latin1', 0, length);
        this.#events.emit('change');
      },
      onEnd: () => {},
      onFlushed: () => {},
      onClose: () => {
        this.over = true;
        this.#events.emit('change');
      },
    };
    let stream: UpstreamStream | undefined;
    const onConnected = (): void => {
      this.connected = true;
      this.#events.emit('change');
      if (sends) stream?.write(GET);
    };
    const room = Buffer.alloc(64 * 1024);
    stream = new UpstreamStream({ sessions, scheme: 'http', nextReadBuffer: () => room }, receiver, onConnected);
    this.stream = stream;
    if (this.connected && sends) stream.write(GET);
  }

  /** Something has come, or it is over, or it is connected. */
  changed(): Promise<unknown> {
    return once(this.#events, 'change');
  }

  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      assert.equal(this.over, false, `over after ${JSON.stringify(this.text)}`);
      await this.changed();
    }
  }
}

async function nextStream(http2: EventEmitter): Promise<ServerHttp2Stream> {
  const [stream] = await once(http2, 'stream');
  stream.on('error', () => {});
  return stream;
}

test('a connection that says nothing until a request is given up takes no more of them; those under way go on', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  arrivals.on('socket', speak);
  let arrived = nextStream(http2);
  const long = new Call(sessions);
  const longStream = await arrived;
  longStream.respond({ ':status': 200 });
  await long.until('200');
  arrived = nextStream(http2);
  const silent = new Call(sessions);
  await arrived;
  assert.equal(dialled.length, 1);
  silent.stream.destroy();
  arrived = nextStream(http2);
  const next = new Call(sessions);
  (await arrived).respond({ ':status': 204 }, { endStream: true });
  await next.until('204');
  assert.equal(dialled.length, 2);
  longStream.end('late');
  await long.until('0\r\n\r\n');
  const gone = once(dialled[0] ?? new EventEmitter(), 'close');
  long.stream.destroy();
  await gone;
  assert.equal(sessions.size, 1);
});

test('a connection that has answered others meanwhile is kept when a request is given up', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  arrivals.on('socket', speak);
  let arrived = nextStream(http2);
  const slow = new Call(sessions);
  await arrived;
  for (let round = 0; round < 2; round++) {
    arrived = nextStream(http2);
    const quick = new Call(sessions);
    (await arrived).respond({ ':status': 204 }, { endStream: true });
    await quick.until('204');
    slow.stream.destroy();
  }
  assert.equal(dialled.length, 1);
});

test('a connection that somebody could not wait for is waited for by nobody new, and serves those that do if it comes', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  const first = once(arrivals, 'socket');
  const impatient = new Call(sessions);
  const patient = new Call(sessions);
  const [socket] = await first;
  impatient.stream.destroy();
  const second = once(arrivals, 'socket');
  const next = new Call(sessions);
  await second;
  assert.equal(dialled.length, 2);
  const arrived = nextStream(http2);
  speak(socket);
  (await arrived).respond({ ':status': 204 }, { endStream: true });
  await patient.until('204');
  const gone = once(dialled[0] ?? new EventEmitter(), 'close');
  patient.stream.destroy();
  await gone;
  assert.equal(sessions.size, 1);
  next.stream.destroy();
});

test('a request for which its connection has gone before it was sent is sent on another one, a few times', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  arrivals.on('socket', speak);
  const opened = once(http2, 'session');
  const call = new Call(sessions, false);
  const [session]: ServerHttp2Session[] = await opened;
  while (!call.connected) await call.changed();
  const told = once(dialled[0] ?? new EventEmitter(), 'ended');
  session?.goaway();
  await told;
  const arrived = nextStream(http2);
  call.stream.write(GET);
  (await arrived).respond({ ':status': 204 }, { endStream: true });
  await call.until('204');
  assert.equal(dialled.length, 2);
});

test('a body that goes on while its request waits to be sent again arrives whole, and is held up', async (t) => {
  const { http2, sessions, arrivals, speak } = await startUpstream(t);
  arrivals.once('socket', speak);
  const opened = once(http2, 'session');
  const call = new Call(sessions, false);
  const [session]: ServerHttp2Session[] = await opened;
  while (!call.connected) await call.changed();
  const refused = nextStream(http2);
  call.stream.write(Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n'));
  const second = once(arrivals, 'socket');
  (await refused).close(constants.NGHTTP2_REFUSED_STREAM);
  session?.close();
  const [socket] = await second;
  call.stream.write(Buffer.alloc(100_000, 'a'));
  assert.ok(call.stream.pendingBytes > 0);
  call.stream.write(Buffer.alloc(100_000, 'b'));
  const arrived = nextStream(http2);
  speak(socket);
  const stream = await arrived;
  let body = '';
  for await (const piece of stream.setEncoding('latin1')) body += piece;
  assert.equal(body, 'a'.repeat(100_000) + 'b'.repeat(100_000));
  assert.equal(call.stream.pendingBytes, 0);
});

test('calls beyond what a connection takes get as many others at once as they need', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  http2.updateSettings({ maxConcurrentStreams: 1 });
  const first = once(arrivals, 'socket');
  const calls = Array.from({ length: 20 }, () => new Call(sessions));
  const [socket] = await first;
  assert.equal(dialled.length, 1);
  const waiting: Socket[] = [];
  arrivals.on('socket', (next: Socket) => waiting.push(next));
  http2.on('stream', (stream: ServerHttp2Stream) => stream.respond({ ':status': 204 }));
  speak(socket);
  // None of them has said anything yet, so each was made for one call.
  while (waiting.length < 19) await once(arrivals, 'socket');
  assert.equal(dialled.length, 20);
  for (const next of waiting) speak(next);
  await Promise.all(calls.map((call) => call.until('204')));
  assert.equal(dialled.length, 20);
});

test('a call that finds connection after connection crowded ends', async (t) => {
  const { sessions, dialled } = await startUpstream(t);
  const call = new Call(sessions, false);
  for (let round = 0; round < 10; round++) call.stream.onCrowded();
  await call.changed();
  assert.equal(call.over, true);
  assert.equal(dialled.length, 4);
});

test('a connection on which the upstream takes nothing any more is closed, not kept as one more for each call', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  arrivals.on('socket', speak);
  http2.on('stream', (stream: ServerHttp2Stream) => {
    stream.session?.settings({ maxConcurrentStreams: 0 });
    stream.respond({ ':status': 204 }, { endStream: true });
  });
  for (let number = 0; number < 5; number++) {
    const call = new Call(sessions);
    const connection = dialled[number] ?? assert.fail();
    const ended = once(connection, 'ended');
    await call.until('204');
    await ended;
    assert.equal(dialled.length, number + 1);
  }
});

test('no more idle connections are kept than the pool has room for', async (t) => {
  const { http2, sessions, dialled, arrivals, speak } = await startUpstream(t);
  let open = 0;
  const changes = new EventEmitter();
  http2.updateSettings({ maxConcurrentStreams: 1 });
  arrivals.on('socket', (socket: Socket) => {
    open++;
    socket.on('close', () => {
      open--;
      changes.emit('closed');
    });
    speak(socket);
  });
  const streams: ServerHttp2Stream[] = [];
  const all = new Promise<void>((resolve) => {
    http2.on('stream', (stream: ServerHttp2Stream) => {
      streams.push(stream);
      if (streams.length === 14) resolve();
    });
  });
  const calls = Array.from({ length: 14 }, () => new Call(sessions));
  await all;
  assert.equal(open, 14);
  for (const stream of streams) stream.respond({ ':status': 204 }, { endStream: true });
  await Promise.all(calls.map((call) => call.until('204')));
  while (open > 10) await once(changes, 'closed');
  // Those that are left serve the next calls.
  const next = new Call(sessions);
  assert.equal(next.connected, true);
  assert.equal(dialled.length, 14);
  assert.equal(open, 10);
});

test('an upstream that ends connections on which many calls are given up ends none that others use', async (t) => {
  const { sessions, dialled, arrivals } = await startUpstream(t);
  const http2 = createServer({ streamResetBurst: 500, streamResetRate: 33 });
  http2.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
  arrivals.on('socket', (socket: Socket) => http2.emit('connection', socket));
  const first = nextStream(http2);
  const others = new Call(sessions);
  const kept = await first;
  kept.respond({ ':status': 200 });
  for (let number = 0; number < 600; number++) {
    const arrived = nextStream(http2);
    const call = new Call(sessions);
    const stream = await arrived;
    // What comes for others says that the connection lives.
    kept.write(`<${number}>`);
    if (dialled.length === 1) await others.until(`<${number}>`);
    const closed = once(stream, 'close');
    call.stream.destroy();
    await closed;
  }
  kept.end('<end>');
  await others.until('<end>');
});
