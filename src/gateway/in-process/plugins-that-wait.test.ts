import assert from 'node:assert/strict';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { definePlugin, Type } from '../../plugin-kit/index.ts';
import { startUpstream } from './testing/echo-upstream.ts';
import { get, plugin, serve } from './testing/serve-plugins.ts';

/** A connection whose request never gets its answer read. */
async function sendUnread(t: TestContext, port: number, request: string): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write(request);
  return socket;
}

test('a body filter that keeps what it was given while others are answered gets nobody else’s bytes', async (t) => {
  const port = await startUpstream(t, ({ url }, response) => response.end((url ?? '').slice(-1).repeat(40)));
  const held = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const halves = plugin('halves', 9, {
    bodyFilter: () => ({
      write: (chunk, push) => {
        push(chunk.subarray(0, 20));
        push(chunk.subarray(20));
      },
      end: () => {},
    }),
  });
  const waits = plugin('waits', 5, {
    bodyFilter: ({ query }) =>
      query === 'A'
        ? {
            write: async (chunk, push) => {
              entered.resolve();
              await held.promise;
              push(chunk);
            },
            end: () => {},
          }
        : undefined,
  });
  const { gateway } = await serve(t, [halves, waits], { port });
  const answer = gateway.fetch(get('/a?A'));
  await entered.promise;
  for (let other = 0; other < 5; other++) assert.equal(await (await gateway.fetch(get('/a?B'))).text(), 'B'.repeat(40));
  held.resolve();
  assert.equal(await (await answer).text(), 'A'.repeat(40));
});

test('the log of a request whose refusal still waits for its client reads that request’s own head', async (t) => {
  const refused = Promise.withResolvers<void>();
  const logged = Promise.withResolvers<readonly unknown[]>();
  const limited = plugin('limited', 1, {
    rewrite: (request) => {
      if (request.query === 'limited') request.limitBody(3);
      return undefined;
    },
    headerFilter: (_request, response) => {
      if (response.source !== 'gateway') return;
      // More than a socket takes at once, so that the answer is not over.
      for (let name = 0; name < 400; name++) response.addHeader(`X-Fat-${name}`, 'y'.repeat(60_000));
      refused.resolve();
    },
    log: (request) => {
      if (request.status === 413) logged.resolve([request.reason, request.header('authorization'), request.rawTarget]);
    },
  });
  const { gateway } = await serve(t, [limited]);
  const head = 'POST /a?limited HTTP/1.1\r\nHost: h\r\nAuthorization: mine\r\nContent-Length: 9\r\n\r\n';
  const socket = await sendUnread(t, await gateway.port(), head);
  await refused.promise;
  for (let other = 0; other < 3; other++) assert.equal((await gateway.fetch(get('/a', { Authorization: 'theirs' }))).status, 200);
  socket.destroy();
  assert.deepEqual(await logged.promise, ['body_too_large', 'mine', '/a?limited']);
});

test('a key leaves the query that another plugin has set, and nothing else does', async (t) => {
  const { gateway } = await serve(t, [], {
    route: { 'key-auth': { hide_credentials: true } },
    globalRules: { 'proxy-rewrite': { plugins: { 'proxy-rewrite': { uri: '/a/longer/path/than/before' } } } },
  });
  const answer = await gateway.fetch(get('/a?apikey=the-key&b=2'));
  assert.equal(JSON.parse(await answer.text()).url, '/a/longer/path/than/before?b=2');
});

test('a header filter that is async is a fault of that request, and what it throws later ends nothing', async (t) => {
  const late = plugin('late', 1, {
    // What JavaScript lets a plugin author write, whatever the types say.
    headerFilter: (() => Promise.reject(new Error('late'))) as () => void,
  });
  const { gateway, log } = await serve(t, [late]);
  assert.equal((await gateway.fetch(get())).status, 500);
  assert.match(JSON.stringify(log.lines.map(({ message, fields }) => [message, fields])), /late/);
});

test('a log phase may be async, and one that fails is logged', async (t) => {
  const failed = Promise.withResolvers<void>();
  const late = plugin('late', 1, {
    log: (async () => {
      await failed.promise;
      throw new Error('the log is broken');
    }) as () => void,
  });
  const { gateway, log } = await serve(t, [late]);
  assert.equal((await gateway.fetch(get())).status, 200);
  failed.resolve();
  await new Promise(setImmediate);
  assert.ok(log.lines.some(({ error }) => error instanceof Error && `${error.message} ${error.cause}`.includes('the log is broken')));
});

test('what a plugin made for its configuration lives until the last request that uses it is back', async (t) => {
  for (const where of ['route', 'global rule', 'consumer'] as const) {
    const entered = Promise.withResolvers<void>();
    const logged = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const disposed = Promise.withResolvers<void>();
    const events: string[] = [];
    const slow = definePlugin<JsonObject, object>({
      ...{ name: 'slow', version: '1', priority: 1, type: 'other', schema: Type.Object({}), secretFields: [], identityHeaders: [] },
      create: () => ({}),
      dispose: () => {
        events.push('disposed');
        disposed.resolve();
      },
      phases: {
        access: async () => {
          entered.resolve();
          await held.promise;
          events.push('came back');
          return undefined;
        },
        log: () => logged.resolve(),
      },
    });
    const { gateway } = await serve(t, [slow], {
      route: { 'key-auth': {}, ...(where === 'route' ? { slow: {} } : {}) },
      ...(where === 'global rule' ? { globalRules: { slow: { plugins: { slow: {} } } } } : {}),
      ...(where === 'consumer' ? { consumer: { slow: {} } } : {}),
    });
    const socket = await sendUnread(t, await gateway.port(), 'GET /a?apikey=the-key HTTP/1.1\r\nHost: h\r\n\r\n');
    await entered.promise;
    socket.resetAndDestroy();
    await logged.promise;
    await gateway.close();
    assert.deepEqual(events, [], where);
    held.resolve();
    await disposed.promise;
    assert.deepEqual(events, ['came back', 'disposed'], where);
  }
});
