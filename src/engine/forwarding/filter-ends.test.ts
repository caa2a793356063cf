import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { bodyFilterOf } from '../testing/test-filters.ts';
import { planTo } from '../testing/test-handler.ts';
import { startWatched, WatchedFilter } from '../testing/watched-filter.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HEAD = 'HTTP/1.1 200 OK\r\nDate: d\r\nContent-Length: 10\r\n\r\n';

async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}

async function outcome(proxy: TestProxy): Promise<readonly [number, string | undefined]> {
  const [finished] = await proxy.handler.whenFinished(1);
  return [finished?.status ?? -1, finished?.reason];
}

describe('a client that goes away ends the filter', () => {
  test('between two pieces', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    upstream.send(`${HEAD}begin`);
    await client.takeThrough('begin');
    client.socket.resetAndDestroy();
    assert.deepEqual(await outcome(proxy), [200, 'client_aborted']);
    await upstream.takeRest();
    assert.deepEqual(filter.calls, ['write begin', 'abort']);
  });

  test('while its promise is awaited, which has no effect any more', async (t) => {
    for (const how of ['resolve', 'reject'] as const) {
      const { proxy, filter, client, upstream } = await startWatched(t, GET);
      filter.waits = true;
      upstream.send(`${HEAD}begin`);
      await turnsUntil(() => filter.calls.length === 1);
      client.socket.resetAndDestroy();
      assert.deepEqual(await outcome(proxy), [0, 'client_aborted']);
      await upstream.takeRest();
      filter.push(Buffer.from('late'));
      if (how === 'resolve') filter.resolve();
      else filter.reject(new Error('given up'));
      await turns(3);
      filter.push(Buffer.from('later'));
      assert.deepEqual(filter.calls, ['write begin', 'abort']);
      assert.deepEqual(proxy.failures, []);
    }
  });

  test('while it is slow', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    client.socket.pause();
    upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
    for (let sent = 0; sent < 24; sent++) upstream.send(Buffer.alloc(1024 * 1024));
    await turnsUntil(() => filter.calls.length > 10);
    await turns(50);
    client.socket.resetAndDestroy();
    assert.deepEqual(await outcome(proxy), [200, 'client_aborted']);
    assert.equal(filter.calls.at(-1), 'abort');
  });

  test('while its end is awaited', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    upstream.send(`${HEAD}begin`);
    await client.takeThrough('begin');
    filter.waits = true;
    upstream.send('_last');
    await turnsUntil(() => filter.calls.length === 2);
    filter.resolve();
    await turnsUntil(() => filter.calls.length === 3);
    client.socket.resetAndDestroy();
    assert.deepEqual(await outcome(proxy), [200, 'client_aborted']);
    assert.deepEqual(filter.calls, ['write begin', 'write _last', 'end', 'abort']);
  });
});

describe('an upstream that breaks off ends the filter', () => {
  test('between two pieces: the answer is cut', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    upstream.send(`${HEAD}begin`);
    await client.takeThrough('begin\r\n');
    upstream.socket.end();
    assert.equal(await client.takeRest(), '', 'it ends without the last chunk');
    assert.deepEqual(await outcome(proxy), [200, 'upstream_truncated']);
    assert.deepEqual(filter.calls, ['write begin', 'abort']);
  });

  test('before anything was sent: 502', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    filter.waits = true;
    upstream.send(`${HEAD}begin`);
    await turnsUntil(() => filter.calls.length === 1);
    upstream.socket.end();
    await turns(3);
    filter.waits = false;
    filter.resolve();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
    assert.deepEqual(await outcome(proxy), [502, 'upstream_closed']);
    assert.deepEqual(filter.calls, ['write begin', 'abort']);
  });

  test('with a malformed body', async (t) => {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n');
    await client.takeThrough('begin\r\n');
    upstream.send('zz\r\n');
    assert.equal(await client.takeRest(), '');
    assert.deepEqual(await outcome(proxy), [200, 'bad_upstream_response']);
    assert.deepEqual(filter.calls, ['write begin', 'abort']);
  });
});

test('a body that ends with its connection is whole, though that has ended while the filter was busy', async (t) => {
  const { proxy, filter, client, upstream } = await startWatched(t, GET);
  filter.waits = true;
  upstream.socket.end('HTTP/1.1 200 OK\r\n\r\nall there is');
  await turnsUntil(() => filter.calls.length === 1);
  await turns(10);
  filter.push(Buffer.from('pushed'));
  filter.resolve();
  await turnsUntil(() => filter.calls.length === 2);
  filter.resolve();
  assert.equal((await readMessage(client)).body.toString(), 'pushed');
  assert.deepEqual(await outcome(proxy), [200, undefined]);
  assert.deepEqual(filter.calls, ['write all there is', 'end']);
});

test('an upstream that closes behind its response, while the filter is busy, loses nothing and is not used again', async (t) => {
  const { proxy, filter, client, upstream } = await startWatched(t, `${GET}${GET}`);
  filter.waits = true;
  upstream.send(`${HEAD}0123456789`);
  await turnsUntil(() => filter.calls.length === 1);
  upstream.socket.end();
  await turns(5);
  filter.push(Buffer.from('all'));
  filter.waits = false;
  filter.resolve();
  assert.equal((await readMessage(client)).body.toString(), 'all');
  const next = await proxy.upstream.connection();
  await next.takeThrough('\r\n\r\n');
  next.send(`${HEAD}9876543210`);
  assert.equal((await readMessage(client)).body.toString(), '9876543210');
});

test('a promise that never settles ends its exchange after the time for decisions', async (t) => {
  for (const begun of [false, true]) {
    const { proxy, filter, client, upstream } = await startWatched(t, GET);
    if (begun) {
      upstream.send(`${HEAD}begin`);
      await client.takeThrough('begin\r\n');
    }
    filter.waits = true;
    upstream.send(begun ? '_last' : `${HEAD}begin`);
    await turnsUntil(() => filter.calls.length === (begun ? 2 : 1));
    proxy.clock.advance(59_000);
    assert.equal(filter.calls.includes('abort'), false);
    proxy.clock.advance(1500);
    if (begun) assert.equal(await client.takeRest(), '');
    else assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
    await upstream.takeRest();
    assert.deepEqual(await outcome(proxy), [begun ? 200 : 500, 'decision_timeout']);
    assert.equal(filter.calls.at(-1), 'abort');
  }
});

test('the upstream is not blamed for the time that a filter takes', async (t) => {
  const proxy = await startProxy(t);
  const filter = new WatchedFilter();
  filter.waits = true;
  const responseFilter = bodyFilterOf(() => filter);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { responseFilter, readTimeoutMs: 5_000 }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`${HEAD}begin`);
  await turnsUntil(() => filter.calls.length === 1);
  proxy.clock.advance(30_000);
  filter.waits = false;
  filter.resolve();
  await turns(3);
  proxy.clock.advance(4_000);
  upstream.send('_last');
  assert.equal((await readMessage(client)).body.toString(), '_last');
});

test('the end of a drain cuts a filtered answer off', async (t) => {
  const { proxy, filter, client, upstream } = await startWatched(t, GET);
  upstream.send(`${HEAD}begin`);
  await client.takeThrough('begin\r\n');
  filter.waits = true;
  upstream.send('_last');
  await turnsUntil(() => filter.calls.length === 2);
  proxy.server.destroyAll();
  assert.equal(await client.takeRest(), '');
  assert.deepEqual(await outcome(proxy), [200, 'drain_timeout']);
  filter.resolve();
  await turns(3);
  assert.deepEqual(filter.calls, ['write begin', 'write _last', 'abort']);
});
