import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { exchangeRaw, openRawConnection } from '../../test-support/raw-client.ts';
import { type RunningDemoUpstream, startDemoUpstream } from './index.ts';

interface Demo {
  readonly base: string;
  readonly port: number;
  readonly clock: FakeClock;
  readonly demo: RunningDemoUpstream;
  json(path: string, init?: RequestInit): Promise<Record<string, unknown>>;
}

async function startedDemo(t: TestContext): Promise<Demo> {
  const clock = new FakeClock();
  const demo = await startDemoUpstream({ listeners: [{ kind: 'address', host: '127.0.0.1', port: 0 }], clock });
  t.after(async () => {
    const drained = demo.drain(0);
    clock.advance(1);
    await drained;
  });
  const [port = 0] = demo.ports;
  const base = `http://127.0.0.1:${port}`;
  return {
    base,
    port,
    clock,
    demo,
    json: async (path, init) => (await fetch(base + path, init)).json() as Promise<Record<string, unknown>>,
  };
}

function jsonOf(rawAnswer: string): Record<string, unknown> {
  return JSON.parse(rawAnswer.slice(rawAnswer.indexOf('\r\n\r\n') + 4));
}

test('/anything tells what the request was', async (t) => {
  const { base, port, json } = await startedDemo(t);
  const told = await json('/anything/key-auth?b=2&a=1&b=3&flag', { headers: { apikey: 'secret-api-key', 'X-Consumer-Username': 'jack' } });
  assert.deepEqual(told.args, { a: '1', b: ['2', '3'], flag: '' });
  assert.equal(told.method, 'GET');
  assert.equal(told.origin, '127.0.0.1');
  assert.equal(told.url, `${base}/anything/key-auth?b=2&a=1&b=3&flag`);
  assert.deepEqual([told.data, told.files, told.form, told.json], ['', {}, {}, null]);
  const headers = told.headers as Record<string, string>;
  assert.equal(headers.Apikey, 'secret-api-key');
  assert.equal(headers['X-Consumer-Username'], 'jack');
  assert.equal(headers.Host, `127.0.0.1:${port}`);
});

test('/anything takes every method that HTTP servers know', async (t) => {
  const { json, base } = await startedDemo(t);
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
    assert.equal((await json('/anything', { method })).method, method);
  }
  const head = await fetch(`${base}/anything`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-type'), 'application/json');
});

test('a JSON body is shown as text and as JSON, other bytes as a data URL', async (t) => {
  const { json } = await startedDemo(t);
  const told = await json('/anything', { method: 'PUT', body: '{"b":[1,{"__proto__":2}]}' });
  assert.equal(told.data, '{"b":[1,{"__proto__":2}]}');
  assert.equal(JSON.stringify(told.json), '{"b":[1,{"__proto__":2}]}');
  const binary = await json('/post', { method: 'POST', body: new Uint8Array([0xff, 0xfe]) });
  assert.equal(binary.data, 'data:application/octet-stream;base64,//4=');
  assert.equal(binary.json, null);
  assert.ok(!('method' in binary));
});

test('both kinds of forms are read, malformed ones are empty', async (t) => {
  const { json } = await startedDemo(t);
  const fields = await json('/post', { method: 'POST', body: new URLSearchParams('x=1&y=%C3%A9&x=2&__proto__=z') });
  assert.equal(JSON.stringify(fields.form), '{"__proto__":"z","x":["1","2"],"y":"é"}');
  assert.equal(fields.data, '');
  const upload = new FormData();
  upload.append('note', 'hello');
  upload.append('file', new Blob(['content']), 'a.txt');
  const uploaded = await json('/post', { method: 'POST', body: upload });
  assert.deepEqual([uploaded.form, uploaded.files], [{ note: 'hello' }, { file: 'content' }]);
  const broken = await json('/post', {
    method: 'POST',
    body: '--x\r\nrubbish',
    headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
  });
  assert.deepEqual([broken.form, broken.files, broken.data], [{}, {}, '']);
});

test('what proxies say decides origin and url, and is not shown unless asked for', async (t) => {
  const { json, port } = await startedDemo(t);
  const headers = { 'X-Forwarded-For': '203.0.113.7, 10.0.0.1', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'api.example' };
  const told = await json('/get', { headers });
  assert.equal(told.origin, '203.0.113.7, 10.0.0.1');
  assert.equal(told.url, `https://127.0.0.1:${port}/get`);
  assert.ok(!('X-Forwarded-For' in (told.headers as object)));
  assert.equal((told.headers as Record<string, string>)['X-Forwarded-Host'], 'api.example');
  const all = await json('/headers?show_env=1', { headers });
  assert.equal((all.headers as Record<string, string>)['X-Forwarded-Proto'], 'https');
});

test('repeated headers are joined, names with an underscore stay apart, names of object properties do no harm', async (t) => {
  const { port } = await startedDemo(t);
  const answer = await exchangeRaw(
    t,
    { port },
    'GET /headers HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nX_A: 3\r\n__proto__: 4\r\nconstructor: 5\r\nConnection: close\r\n\r\n',
  );
  const { headers } = jsonOf(answer) as { headers: Record<string, string> };
  assert.equal(headers['X-A'], '1,2');
  assert.equal(headers.X_A, '3');
  assert.equal(headers.__Proto__, '4');
  assert.equal(headers.Constructor, '5');
});

test('/get and /headers show only what httpbin shows there', async (t) => {
  const { json } = await startedDemo(t);
  assert.deepEqual(Object.keys(await json('/get')), ['args', 'headers', 'origin', 'url']);
  assert.deepEqual(Object.keys(await json('/headers')), ['headers']);
});

test('an absolute-form target and a request without Host are understood', async (t) => {
  const { port } = await startedDemo(t);
  const absolute = jsonOf(
    await exchangeRaw(t, { port }, 'GET http://api.example/anything/x?y=1 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n'),
  );
  assert.equal(absolute.url, 'http://api.example/anything/x?y=1');
  const old = jsonOf(await exchangeRaw(t, { port }, 'GET /get HTTP/1.0\r\n\r\n'));
  assert.equal(old.url, `http://127.0.0.1:${port}/get`);
});

test('/status answers the status asked for, with what belongs to it', async (t) => {
  const { base, port } = await startedDemo(t);
  for (const status of [200, 201, 204, 205, 299, 304, 404, 418, 500, 503, 599]) {
    const response = await fetch(`${base}/status/${status}`, { method: 'POST' });
    assert.equal(response.status, status);
    assert.equal(await response.text(), '');
  }
  const moved = await fetch(`${base}/status/302`, { redirect: 'manual' });
  assert.equal(moved.headers.get('location'), '/get');
  assert.equal((await fetch(`${base}/status/401`)).headers.get('www-authenticate'), 'Basic realm="Fake Realm"');
  const proxy = await exchangeRaw(t, { port }, 'GET /status/407 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(proxy, /^HTTP\/1\.1 407 [\s\S]*Proxy-Authenticate: Basic realm="Fake Realm"\r\n/);
});

test('/status chooses from a list by weight', async (t) => {
  const { base } = await startedDemo(t);
  for (let count = 0; count < 20; count += 1) assert.equal((await fetch(`${base}/status/200:0,503:1,404:0`)).status, 503);
  const seen = new Set<number>();
  for (let count = 0; count < 60; count += 1) seen.add((await fetch(`${base}/status/200,503`)).status);
  assert.deepEqual([...seen].sort(), [200, 503]);
});

test('a status that is none is refused with a sentence', async (t) => {
  const { base } = await startedDemo(t);
  for (const codes of ['99', '100', '199', '600', '2000', 'ok', '200,', '200:x', '-200', '200:1:1', '%32%30%30']) {
    const response = await fetch(`${base}/status/${codes}`);
    assert.equal(response.status, 400, codes);
    assert.match(await response.text(), /^Invalid status code: /);
  }
});

test('/delay answers after the time asked for, at most ten seconds', async (t) => {
  const { base, clock } = await startedDemo(t);
  for (const [seconds, expectedMs] of [
    ['0.25', 250],
    ['3', 3000],
    ['86400', 10_000],
  ] as const) {
    const pending = fetch(`${base}/delay/${seconds}`);
    while (clock.pendingTasks === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(expectedMs - 1);
    assert.equal(clock.pendingTasks, 1);
    clock.advance(1);
    const response = await pending;
    assert.equal(response.status, 200);
    assert.match(await response.text(), /"url": /);
  }
  for (const seconds of ['-1', 'x', '1e3', 'NaN', '%31']) assert.equal((await fetch(`${base}/delay/${seconds}`)).status, 400);
});

test('/bytes answers so many bytes, at most 1 MiB, and the same for the same seed', async (t) => {
  const { base } = await startedDemo(t);
  const bytes = async (path: string): Promise<Buffer> => Buffer.from(await (await fetch(base + path)).arrayBuffer());
  assert.equal((await bytes('/bytes/0')).length, 0);
  assert.equal((await bytes('/bytes/1000')).length, 1000);
  assert.equal((await bytes('/bytes/99999999999999999999')).length, 1024 * 1024);
  assert.deepEqual(await bytes('/bytes/64?seed=7'), await bytes('/bytes/64?seed=7'));
  assert.notDeepEqual(await bytes('/bytes/64?seed=7'), await bytes('/bytes/64?seed=8'));
  assert.notDeepEqual(await bytes('/bytes/64'), await bytes('/bytes/64'));
  assert.equal((await fetch(`${base}/bytes/10?seed=x`)).status, 400);
  assert.equal((await fetch(`${base}/bytes/-1`)).status, 404);
});

test('/stream answers so many JSON lines in chunks, at most a hundred', async (t) => {
  const { base, port } = await startedDemo(t);
  const lines = (await (await fetch(`${base}/stream/3?x=1`)).text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => [line.id, line.args]),
    [0, 1, 2].map((id) => [id, { x: '1' }]),
  );
  assert.equal((await (await fetch(`${base}/stream/5000`)).text()).split('\n').length, 101);
  assert.equal(await (await fetch(`${base}/stream/0`)).text(), '');
  const raw = await exchangeRaw(t, { port }, 'GET /stream/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(raw, /\r\nTransfer-Encoding: chunked\r\n/i);
});

test('unknown paths are 404 and wrong methods 405, as httpbin says it', async (t) => {
  const { base } = await startedDemo(t);
  for (const path of ['/', '/nothing', '/anythings', '/Headers', '/get/', '/status', '/bytes/x', '//get', '/..;/get']) {
    const response = await fetch(base + path);
    assert.equal(response.status, 404, path);
    assert.match(await response.text(), /<title>404 Not Found<\/title>/);
  }
  const refused = await fetch(`${base}/get`, { method: 'POST', body: 'x' });
  assert.equal(refused.status, 405);
  assert.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS');
  assert.equal((await fetch(`${base}/post`)).status, 405);
  const options = await fetch(`${base}/get`, { method: 'OPTIONS' });
  assert.equal(options.headers.get('allow'), 'GET, HEAD, OPTIONS');
});

test('a body of exactly 1 MiB is echoed, a larger one is refused, announced or not', async (t) => {
  const { base, port } = await startedDemo(t);
  const whole = await fetch(`${base}/anything`, { method: 'POST', body: 'x'.repeat(1024 * 1024) });
  assert.equal(((await whole.json()) as { data: string }).data.length, 1024 * 1024);
  const announced = await exchangeRaw(
    t,
    { port },
    'POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n',
    Buffer.alloc(1048577),
  );
  assert.match(announced, /^HTTP\/1\.1 413 [\s\S]*the limit is 1048576 bytes/);
  const chunked = await exchangeRaw(
    t,
    { port },
    'POST /anything HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n',
    randomBytes(0x200000),
    '\r\n0\r\n\r\n',
  );
  assert.match(chunked, /^HTTP\/1\.1 413 /);
});

test('a client that never sends the refused body is let go', async (t) => {
  const { port, clock } = await startedDemo(t);
  const answer = exchangeRaw(t, { port }, 'POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n');
  while (clock.pendingTasks === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1000);
  assert.match(await answer, /^HTTP\/1\.1 413 /);
});

test('JSON that is nested to the bottom costs neither stack nor memory', async (t) => {
  const { json } = await startedDemo(t);
  const deep = await json('/anything', { method: 'POST', body: '['.repeat(200_000) + ']'.repeat(200_000) });
  assert.equal(deep.json, null);
  assert.equal(String(deep.data).length, 400_000);
  const shallow = await json('/anything', { method: 'POST', body: '['.repeat(64) + ']'.repeat(64) });
  assert.notEqual(shallow.json, null);
});

test('a client that breaks off half-way leaves the server serving', async (t) => {
  const { base, port } = await startedDemo(t);
  const connection = await openRawConnection(t, { port });
  connection.send('POST /anything HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf').end();
  await connection.readUntilClose();
  assert.match(await exchangeRaw(t, { port }, 'rubbish\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.equal((await fetch(`${base}/status/200`)).status, 200);
});

test('a drain lets a running request end, tells its client to go, and accepts nothing new', async (t) => {
  const { port, clock, demo, base } = await startedDemo(t);
  const running = exchangeRaw(t, { port }, 'GET /delay/1 HTTP/1.1\r\nHost: x\r\n\r\n');
  while (clock.pendingTasks === 0) await new Promise((resolve) => setImmediate(resolve));
  const drained = demo.drain(5000);
  clock.advance(1000);
  const answer = await running;
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n/);
  await drained;
  await assert.rejects(fetch(`${base}/get`));
});

test('a drain cuts what takes too long', async (t) => {
  const { port, clock, demo } = await startedDemo(t);
  const running = exchangeRaw(t, { port }, 'GET /delay/10 HTTP/1.1\r\nHost: x\r\n\r\n');
  while (clock.pendingTasks === 0) await new Promise((resolve) => setImmediate(resolve));
  const drained = demo.drain(500);
  clock.advance(500);
  await drained;
  assert.equal(await running, '');
});

test('a port that is taken is told, and nothing listens', async (t) => {
  const { port } = await startedDemo(t);
  const listeners = [0, port].map((taken) => ({ kind: 'address', host: '127.0.0.1', port: taken }) as const);
  await assert.rejects(startDemoUpstream({ listeners, clock: new FakeClock() }), { code: 'EADDRINUSE' });
});
