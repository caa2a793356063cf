import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, request } from 'node:http';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type TestContext, test } from 'node:test';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { createGateway } from './index.ts';

const same = (value: Buffer): Buffer => value;

/** What the service of the tests has seen of its calls. */
interface Seen {
  readonly metadata: Record<string, unknown>[];
  readonly cancelled: string[];
  cancelledWaiters: (() => void)[];
}

function methodOf(name: string, requestStream: boolean, responseStream: boolean) {
  const serialize = same;
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: serialize,
    requestDeserialize: same,
    responseSerialize: serialize,
    responseDeserialize: same,
  };
}

const SERVICE = {
  Unary: methodOf('Unary', false, false),
  Fail: methodOf('Fail', false, false),
  Hang: methodOf('Hang', false, false),
  Many: methodOf('Many', false, true),
  Sum: methodOf('Sum', true, false),
  Chat: methodOf('Chat', true, true),
  Early: methodOf('Early', true, true),
};

function implementationOf(seen: Seen) {
  const note = (
    call: { readonly metadata: Metadata; getDeadline(): unknown; on(event: 'cancelled', listener: () => void): unknown },
    name: string,
  ): void => {
    seen.metadata.push(call.metadata.getMap());
    call.on('cancelled', () => {
      seen.cancelled.push(name);
      for (const wake of seen.cancelledWaiters.splice(0)) wake();
    });
  };
  return {
    Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      note(call, 'Unary');
      const trailer = new Metadata();
      trailer.set('x-trailer', 'behind');
      call.sendMetadata(call.metadata);
      done(null, call.request, trailer);
    },
    Fail(_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      done({ code: status.FAILED_PRECONDITION, details: 'not ready: 100 %' });
    },
    Hang(call: ServerUnaryCall<Buffer, Buffer>, _done: sendUnaryData<Buffer>) {
      note(call, 'Hang');
    },
    Many(call: ServerWritableStream<Buffer, Buffer>) {
      for (let number = 0; number < Number(call.request.toString()); number++) call.write(Buffer.from(String(number)));
      call.end();
    },
    Sum(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      let sum = 0;
      call.on('data', (value: Buffer) => {
        sum += Number(value.toString());
      });
      call.on('end', () => done(null, Buffer.from(String(sum))));
    },
    Chat(call: ServerDuplexStream<Buffer, Buffer>) {
      note(call, 'Chat');
      call.on('data', (value: Buffer) => call.write(Buffer.from(`re: ${value}`)));
      call.on('end', () => call.end());
    },
    Early(call: ServerDuplexStream<Buffer, Buffer>) {
      call.once('data', () => call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'enough' }));
    },
  };
}

const MESSAGE = Buffer.from('x');

async function portOf(server: HttpServer | Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function start(t: TestContext) {
  const seen: Seen = { metadata: [], cancelled: [], cancelledWaiters: [] };
  const server = new Server();
  server.addService(SERVICE, implementationOf(seen));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const { call, gateway } = await startBefore(t, port);
  t.after(() => server.forceShutdown());
  return { ...call, seen, gateway };
}

/** A gateway in front of a port, and a client of it. */
async function startBefore(t: TestContext, port: number, upstream: object = {}) {
  const gateway = createGateway(
    {
      services: { g: { name: 'g', upstream: { scheme: 'grpc', nodes: [{ host: '127.0.0.1', port, weight: 1 }], ...upstream } } },
      routes: {
        open: { name: 'open', service_id: 'g', paths: ['/test.Echo/*'] },
        guarded: { name: 'guarded', service_id: 'g', paths: ['/test.Echo/Guarded'], plugins: { 'key-auth': {} } },
      },
      consumers: { jack: {} },
      credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
    },
    { http2Cleartext: true },
  );
  const client = new Client(`127.0.0.1:${await gateway.port()}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  t.after(async () => {
    client.close();
    await gateway.close();
  });
  const unary = (method: string, body: Buffer, metadata = new Metadata(), deadlineMs?: number) =>
    new Promise<{ error: ServiceError | null; value: Buffer | undefined; headers: Metadata | undefined; trailers: Metadata | undefined }>(
      (resolve) => {
        let headers: Metadata | undefined;
        let trailers: Metadata | undefined;
        const outcome: { error: ServiceError | null; value: Buffer | undefined } = { error: null, value: undefined };
        const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
        const call = client.makeUnaryRequest(`/test.Echo/${method}`, same, same, body, metadata, options, (error, value) => {
          outcome.error = error;
          outcome.value = value;
          setImmediate(() => resolve({ ...outcome, headers, trailers: trailers ?? error?.metadata }));
        });
        call.on('metadata', (got) => {
          headers = got;
        });
        call.on('status', (got) => {
          trailers = got.metadata;
        });
      },
    );
  return { call: { client, unary }, gateway };
}

test('a unary call goes through, with metadata both ways, binary too, and trailers', async (t) => {
  const { unary, seen } = await start(t);
  const metadata = new Metadata();
  metadata.set('x-text', 'value');
  metadata.set('x-data-bin', Buffer.from([0, 1, 255]));
  const { error, value, headers, trailers } = await unary('Unary', Buffer.from('hello'), metadata);
  assert.equal(error, null);
  assert.equal(value?.toString(), 'hello');
  assert.equal(seen.metadata[0]?.['x-text'], 'value');
  assert.deepEqual(seen.metadata[0]?.['x-data-bin'], Buffer.from([0, 1, 255]));
  assert.deepEqual(headers?.get('x-data-bin'), [Buffer.from([0, 1, 255])]);
  assert.deepEqual(trailers?.get('x-trailer'), ['behind']);
  assert.match(String(headers?.get('portcullis-request-id')[0]), /^[0-9a-f]{32}$/);
});

test('an error of the service reaches the client with its code and its text, however the server writes it', async (t) => {
  const { unary } = await start(t);
  const { error } = await unary('Fail', Buffer.from('x'));
  assert.equal(error?.code, status.FAILED_PRECONDITION);
  assert.equal(error?.details, 'not ready: 100 %');
  assert.equal((await unary('NoSuchMethod', Buffer.from('x'))).error?.code, status.UNIMPLEMENTED);
});

test('messages stream from the server, from the client and both ways at once', async (t) => {
  const { client } = await start(t);
  const many = client.makeServerStreamRequest('/test.Echo/Many', same, same, Buffer.from('500'));
  const received: string[] = [];
  many.on('data', (value: Buffer) => received.push(value.toString()));
  await once(many, 'end');
  assert.deepEqual(
    received,
    Array.from({ length: 500 }, (_, number) => String(number)),
  );
  const sum = await new Promise<string>((resolve, reject) => {
    const call = client.makeClientStreamRequest('/test.Echo/Sum', same, same, (error: ServiceError | null, value?: Buffer) =>
      error === null ? resolve(String(value)) : reject(error),
    );
    for (let number = 1; number <= 100; number++) call.write(Buffer.from(String(number)));
    call.end();
  });
  assert.equal(sum, '5050');
  const chat = client.makeBidiStreamRequest('/test.Echo/Chat', same, same);
  // Each answer comes before the next message is sent: nothing waits for the end of the request.
  for (const text of ['one', 'two', 'three']) {
    chat.write(Buffer.from(text));
    assert.equal(String((await once(chat, 'data'))[0]), `re: ${text}`);
  }
  chat.end();
  const [ended] = await once(chat, 'status');
  assert.equal(ended.code, status.OK);
});

test('a large message arrives whole in both directions', async (t) => {
  const { unary } = await start(t);
  const body = Buffer.alloc(3 * 1024 * 1024, 'portcullis');
  const { error, value } = await unary('Unary', body);
  assert.equal(error, null);
  assert.ok(value?.equals(body));
});

test('a server that ends the call while the client still sends is heard', async (t) => {
  const { client } = await start(t);
  const call = client.makeBidiStreamRequest('/test.Echo/Early', same, same);
  call.on('data', () => {});
  call.on('error', () => {});
  const over = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  call.write(Buffer.from('x'));
  const ended = await over;
  assert.equal(ended.code, status.RESOURCE_EXHAUSTED);
  assert.equal(ended.details, 'enough');
});

test('a client that cancels is heard by the server, in the middle of a stream too', async (t) => {
  const { client, seen } = await start(t);
  const chat = client.makeBidiStreamRequest('/test.Echo/Chat', same, same);
  chat.on('error', () => {});
  chat.write(Buffer.from('x'));
  await once(chat, 'data');
  const cancelled = new Promise<void>((resolve) => seen.cancelledWaiters.push(resolve));
  chat.cancel();
  await cancelled;
  assert.deepEqual(seen.cancelled, ['Chat']);
});

test('a deadline ends the call at the client and at the server', async (t) => {
  const { unary, seen } = await start(t);
  const cancelled = new Promise<void>((resolve) => seen.cancelledWaiters.push(resolve));
  const { error } = await unary('Hang', Buffer.from('x'), new Metadata(), 300);
  assert.equal(error?.code, status.DEADLINE_EXCEEDED);
  await cancelled;
});

test('a call without its key is refused with the code of gRPC, and one with it is let through', async (t) => {
  const { unary } = await start(t);
  assert.equal((await unary('Guarded', Buffer.from('x'))).error?.code, status.UNAUTHENTICATED);
  const metadata = new Metadata();
  metadata.set('apikey', 'the-key');
  assert.equal((await unary('Guarded', Buffer.from('x'), metadata)).error?.code, status.UNIMPLEMENTED);
});

test('an upstream that is not there, and one that speaks no HTTP/2, are UNAVAILABLE', async (t) => {
  const plain = createHttpServer((_request, response) => response.end('plain'));
  const port = await portOf(plain);
  t.after(() => plain.close());
  assert.equal((await (await startBefore(t, port)).call.unary('Unary', MESSAGE)).error?.code, status.UNAVAILABLE);
  const closed = createHttpServer();
  const unused = await portOf(closed);
  closed.close();
  await once(closed, 'close');
  assert.equal((await (await startBefore(t, unused)).call.unary('Unary', MESSAGE)).error?.code, status.UNAVAILABLE);
});

/** A frame of gRPC with an empty message. */
const EMPTY_FRAME = Buffer.alloc(5);

function answerEmpty(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.resume();
  stream.on('end', () => stream.end(EMPTY_FRAME));
}

test('a call that the upstream has certainly not begun is made again, and one that it may have begun is not', async (t) => {
  const server = createServer();
  const port = await portOf(server);
  let refusals = 2;
  const paths: unknown[] = [];
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    paths.push(headers[':path']);
    if (headers[':path'] === '/test.Echo/Begun') stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else if (refusals-- > 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    else answerEmpty(stream);
  });
  t.after(() => server.close());
  const { call } = await startBefore(t, port);
  assert.equal((await call.unary('Refused', MESSAGE)).error, null);
  assert.equal(paths.length, 3);
  assert.notEqual((await call.unary('Begun', MESSAGE)).error, null);
  assert.equal(paths.length, 4);
});

test('calls share connections, and go on over another one behind a GOAWAY', async (t) => {
  const server = createServer({ settings: { maxConcurrentStreams: 10 } });
  const port = await portOf(server);
  const sessions: ServerHttp2Session[] = [];
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    answerEmpty(stream);
  });
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  const { call } = await startBefore(t, port);
  for (let round = 0; round < 3; round++) assert.equal((await call.unary('One', MESSAGE)).error, null);
  assert.equal(sessions.length, 1);
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => call.unary('Many', MESSAGE)));
  assert.ok(outcomes.every(({ error }) => error === null));
  assert.ok(sessions.length <= 5, `${sessions.length} connections for 40 calls, 10 on each`);
  for (const session of [...sessions]) session.close();
  const before = sessions.length;
  for (let round = 0; round < 10; round++) assert.equal((await call.unary('Behind', MESSAGE)).error, null);
  assert.ok(sessions.length > before);
});

test('a client of HTTP/1.1 gets an answer of gRPC with its trailer fields behind the chunks', async (t) => {
  const { gateway } = await start(t);
  const outgoing = request({
    port: await gateway.port(),
    method: 'POST',
    path: '/test.Echo/Unary',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
  });
  outgoing.end(EMPTY_FRAME);
  const [response] = await once(outgoing, 'response');
  response.resume();
  await once(response, 'end');
  assert.equal(response.statusCode, 200);
  assert.equal(response.trailers['grpc-status'], '0');
});
