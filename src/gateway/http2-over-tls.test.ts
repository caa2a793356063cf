import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { startWebSocketUpstream } from './testing/web-socket-upstream.ts';

const run = promisify(execFile);

async function start(t: TestContext) {
  const authority = await TestAuthority.create();
  const [open, strict, alice] = await Promise.all([authority.issue(), authority.issue(), authority.issue({ commonName: 'alice' })]);
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t);
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'open', value: { snis: ['open.example', 'localhost'], ...open } },
    { kind: 'ssl', id: 'strict', value: { snis: ['strict.example'], ...strict, client: { ca: authority.cert } } },
  ]);
  await gateway.agent.whenReady();
  return { gateway, alice };
}

function sessionTo(t: TestContext, port: number, servername: string, options: object = {}): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { servername, rejectUnauthorized: false, ...options });
  session.on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

async function statusOf(session: ClientHttp2Session, authority: string): Promise<number> {
  const stream = session.request({ ':path': '/', ':authority': authority });
  stream.resume();
  const [fields] = await once(stream, 'response');
  await once(stream, 'close');
  return Number(fields[':status']);
}

test('HTTP/2 is agreed on by ALPN, and HTTP/1.1 with those who do not speak it', async (t) => {
  const { gateway } = await start(t);
  const session = sessionTo(t, gateway.httpsPort, 'open.example');
  assert.equal(await statusOf(session, 'open.example'), 200);
  assert.equal(session.alpnProtocol, 'h2');
  const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } });
  t.after(() => dispatcher.destroy());
  const answer = await request(`https://localhost:${gateway.httpsPort}/`, { dispatcher });
  assert.equal(answer.statusCode, 200);
  await answer.body.dump();
  for (const [option, version] of [
    ['--http2', '2'],
    ['--http1.1', '1.1'],
  ] as const) {
    const { stdout } = await run('curl', [
      ...['-sk', option, '-o', '/dev/null', '-w', '%{http_version} %{http_code}', `https://localhost:${gateway.httpsPort}/`],
    ]);
    assert.equal(stdout, `${version} 200`);
  }
});

test('a host that asks for client certificates is not reached over a connection made for another one', async (t) => {
  const { gateway, alice } = await start(t);
  const open = sessionTo(t, gateway.httpsPort, 'open.example');
  assert.equal(await statusOf(open, 'open.example'), 200);
  for (const host of ['strict.example', 'STRICT.example', 'strict.example.', 'strict.example:9443']) {
    assert.equal(await statusOf(open, host), 421, host);
  }
  assert.equal(await statusOf(open, 'open.example'), 200);
  const anonymous = sessionTo(t, gateway.httpsPort, 'strict.example');
  assert.equal(await statusOf(anonymous, 'strict.example'), 400);
  const known = sessionTo(t, gateway.httpsPort, 'strict.example', alice);
  assert.equal(await statusOf(known, 'strict.example'), 200);
  assert.equal(await statusOf(known, 'open.example'), 200);
});

test('a WebSocket goes over TLS, with HTTP/1.1 and as extended CONNECT', async (t) => {
  const { gateway } = await start(t);
  const upstream = await startWebSocketUpstream(t);
  await gateway.load([serviceItem(upstream.port, { enable_websocket: true }), routeItem('all', { paths: ['/*'] })]);
  await gateway.change({
    op: 'put',
    item: { kind: 'ssl', id: 'open', value: { snis: ['localhost'], ...(await (await TestAuthority.create()).issue()) } },
  });
  const socket = new WebSocket(`wss://localhost:${gateway.httpsPort}/ws`, { rejectUnauthorized: false });
  await once(socket, 'open');
  socket.send('hello');
  assert.equal(String((await once(socket, 'message'))[0]), 'hello');
  socket.close();
  await once(socket, 'close');
  const session = sessionTo(t, gateway.httpsPort, 'localhost');
  await once(session, 'remoteSettings');
  const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', ':authority': 'localhost' });
  assert.equal((await once(stream, 'response'))[0][':status'], 200);
  stream.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x41]));
  assert.deepEqual([...(await once(stream, 'data'))[0]], [0x81, 1, 0x41]);
  stream.close();
  await once(stream, 'close');
});
