import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type OutgoingHttpHeaders } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Client as HttpClient, request } from 'undici';
import { WebSocket } from 'ws';
import { startWebSocketUpstream } from '../testing/web-socket-upstream.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';

const run = promisify(execFile);

/** A gateway with a guarded route, one for WebSockets, and what its upstream got. */
async function start(t: TestContext) {
  const seen: { readonly path: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }[] = [];
  const port = await startUpstream(t, (incoming, response) => {
    let body = '';
    incoming.on('data', (bytes) => {
      body += bytes;
    });
    incoming.on('end', () => {
      seen.push({ path: incoming.url ?? '', headers: incoming.headers, body });
      response.setHeader('X-Upstream', 'echo');
      response.end(`${incoming.method} ${incoming.url} ${body}`);
    });
  });
  const sockets = await startWebSocketUpstream(t);
  const nodes = (to: number) => ({ nodes: [{ host: '127.0.0.1', port: to, weight: 1 }] });
  const gateway = createGateway(
    {
      services: { s: { name: 's', upstream: nodes(port) }, w: { name: 'w', upstream: nodes(sockets.port) } },
      routes: {
        guarded: { name: 'guarded', service_id: 's', paths: ['/guarded', '/guarded/*'], plugins: { 'key-auth': {} } },
        socket: { name: 'socket', service_id: 'w', paths: ['/ws'], enable_websocket: true, plugins: { 'key-auth': {} } },
        closed: { name: 'closed', service_id: 'w', paths: ['/no-ws'] },
        made: {
          name: 'made',
          service_id: 's',
          paths: ['/made'],
          plugins: {
            'proxy-rewrite': { uri: '/new' },
            'response-rewrite': { body: 'rewritten', headers: { set: { 'X-Made': '$server_protocol' } } },
          },
        },
      },
      consumers: { jack: {} },
      credentials: { jack: { c: { plugins: { 'key-auth': { key: 'the-key' } } } } },
    },
    { http2Cleartext: true },
  );
  t.after(() => gateway.close());
  return { gatewayPort: await gateway.port(), seen, sockets };
}

async function ask(port: number, headers: OutgoingHttpHeaders, body?: string) {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let text = '';
  stream.on('data', (bytes) => {
    text += bytes;
  });
  const [fields] = await once(stream, 'response');
  await once(stream, 'close');
  session.close();
  return { status: fields[':status'], fields, text };
}

test('the pipeline is the same: keys, identity headers that no client may send, rewriting, the texts of refusals', async (t) => {
  const { gatewayPort, seen } = await start(t);
  const refused = await ask(gatewayPort, { ':path': '/guarded' });
  assert.equal(refused.status, 401);
  assert.equal(refused.text, '{"message":"Missing API key in request"}\n');
  assert.match(String(refused.fields['portcullis-request-id']), /^[0-9a-f]{32}$/);
  const forged = { 'x-consumer-username': 'root', x_consumer_username: 'root', 'x-credential-identifier': 'mine' };
  const served = await ask(gatewayPort, { ':path': '/guarded/x?a=b', ':method': 'POST', apikey: 'the-key', ...forged }, 'body');
  assert.equal(served.status, 200);
  assert.equal(served.text, 'POST /guarded/x?a=b body');
  assert.equal(seen[0]?.headers['x-consumer-username'], 'jack');
  assert.equal(seen[0]?.headers['x-credential-identifier'], 'c');
  assert.equal(seen[0]?.headers.x_consumer_username, undefined);
  assert.equal((await ask(gatewayPort, { ':path': '/nowhere' })).text, '{"error_msg":"404 Route Not Found"}\n');
  const made = await ask(gatewayPort, { ':path': '/made' });
  assert.equal(made.text, 'rewritten');
  assert.equal(made.fields['x-made'], 'HTTP/2.0');
  assert.equal(seen.at(-1)?.path, '/new');
});

test('undici and curl speak it as well, and the same port still speaks HTTP/1.1', async (t) => {
  const { gatewayPort } = await start(t);
  const url = `http://127.0.0.1:${gatewayPort}/guarded`;
  const dispatcher = new HttpClient(`http://127.0.0.1:${gatewayPort}`, { allowH2: true, h2Options: { useH2c: true } });
  t.after(() => dispatcher.destroy());
  const answer = await request(url, { dispatcher, headers: { apikey: 'the-key' } });
  assert.equal(answer.statusCode, 200);
  await answer.body.dump();
  for (const [version, expected] of [
    ['--http2-prior-knowledge', '2 200'],
    ['--http1.1', '1.1 200'],
    ['--http2', '1.1 200'],
  ] as const) {
    const { stdout } = await run('curl', [
      '-s',
      version,
      '-o',
      '/dev/null',
      '-w',
      '%{http_version} %{http_code}',
      '-H',
      'apikey: the-key',
      '-d',
      'x',
      url,
    ]);
    assert.equal(stdout, expected, version);
  }
});

test('a WebSocket over HTTP/2 goes through a route that allows it, and through no other', async (t) => {
  const { gatewayPort, sockets } = await start(t);
  const session = connect(`http://127.0.0.1:${gatewayPort}`);
  t.after(() => session.destroy());
  await once(session, 'remoteSettings');
  assert.equal(session.remoteSettings.enableConnectProtocol, true);
  const open = (path: string) => {
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': path,
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'chat',
    });
    stream.on('error', () => {});
    return stream;
  };
  const refused = open('/ws');
  assert.equal((await once(refused, 'response'))[0][':status'], 401);
  assert.equal(sockets.upgrades.length, 0);
  const stream = open('/ws?apikey=the-key');
  const [fields] = await once(stream, 'response');
  assert.equal(fields[':status'], 200);
  assert.equal(fields['sec-websocket-protocol'], 'chat');
  assert.equal(sockets.upgrades[0]?.['x-consumer-username'], 'jack');
  // A masked text frame of one byte comes back unmasked.
  stream.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41]));
  assert.deepEqual([...(await once(stream, 'data'))[0]], [0x81, 1, 0x41]);
  // The upstream answers a closing frame and ends.
  stream.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  stream.resume();
  await once(stream, 'end');
  stream.end();
  const closed = open('/no-ws');
  // The upstream has answered with a 200 of plain HTTP, which must not look like an open WebSocket.
  const data = Buffer.from('GET /guarded HTTP/1.1\r\nHost: a\r\n\r\n');
  closed.write(data);
  await new Promise((resolve) => closed.once('close', resolve));
  assert.notEqual(closed.rstCode, 0);
  assert.equal(sockets.upgrades.length, 1);
});

test('a WebSocket of ws goes through the cleartext port with HTTP/2 switched on', async (t) => {
  const { gatewayPort } = await start(t);
  const socket = new WebSocket(`ws://127.0.0.1:${gatewayPort}/ws?apikey=the-key`);
  await once(socket, 'open');
  socket.send('hello');
  const [message] = await once(socket, 'message');
  assert.equal(String(message), 'hello');
  socket.close();
  await once(socket, 'close');
});

test('a client of gRPC learns from a refusal what it was, by the code that stands for its HTTP status', async (t) => {
  const { gatewayPort } = await start(t);
  const client = new Client(`127.0.0.1:${gatewayPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const call = (method: string) =>
    new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        method,
        (value: Buffer) => value,
        (value) => value,
        Buffer.from('x'),
        new Metadata(),
        (error) => resolve(error),
      );
    });
  assert.equal((await call('/guarded/Method'))?.code, status.UNAUTHENTICATED);
  assert.equal((await call('/no.Service/Method'))?.code, status.UNIMPLEMENTED);
});
