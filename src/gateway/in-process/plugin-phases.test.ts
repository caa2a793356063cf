import assert from 'node:assert/strict';
import test from 'node:test';
import { type BodyFilter, requestSlot } from '../../plugin-kit/index.ts';
import { createGateway } from './index.ts';
import { startUpstream } from './testing/echo-upstream.ts';
import { get, plugin, serve } from './testing/serve-plugins.ts';

/** Turns letters into capitals, piece by piece. */
const shouting: BodyFilter = {
  write: (chunk, push) => push(Buffer.from(chunk.toString('latin1').toUpperCase(), 'latin1')),
  end: (push) => push(Buffer.from('!')),
};

test('header filters see and change the answers of upstreams, with the client’s own head at hand', async (t) => {
  const { gateway } = await serve(t, [
    plugin('mark', 1, {
      headerFilter: (request, response) => {
        response.setHeader('X-Mark', `${request.header('x-asked') ?? ''} ${response.status} ${response.source}`);
        response.removeHeader('content-type');
      },
    }),
  ]);
  const answer = await gateway.fetch(get('/a', { 'X-Asked': 'yes' }));
  assert.equal(answer.headers.get('x-mark'), 'yes 200 upstream');
  assert.equal(answer.headers.get('content-type'), null);
  assert.equal(JSON.parse(await answer.text()).url, '/a');
});

test('answers of the gateway pass the same filters: refusals, and errors that the engine makes', async (t) => {
  const mark = plugin('mark', 1, { headerFilter: (_request, response) => response.setHeader('X-Mark', response.source) });
  const { gateway } = await serve(t, [mark], { route: { mark: {}, 'key-auth': {} } });
  const refused = await gateway.fetch(get());
  assert.deepEqual([refused.status, refused.headers.get('x-mark')], [401, 'gateway']);
  const dead = await serve(t, [mark], { port: 1, route: { mark: {} } });
  const failed = await dead.gateway.fetch(get());
  assert.deepEqual([failed.status, failed.headers.get('x-mark')], [502, 'gateway']);
});

test('a body streams through the filters in the order of their plugins', async (t) => {
  const brackets: BodyFilter = { write: (chunk, push) => push(Buffer.from(`[${chunk.toString('latin1')}]`)), end: () => {} };
  const { gateway } = await serve(
    t,
    [plugin('shout', 2, { bodyFilter: () => shouting }), plugin('bracket', 1, { bodyFilter: () => brackets })],
    { port: await startUpstream(t, (_request, response) => response.end('abc')) },
  );
  const answer = await gateway.fetch(get());
  assert.equal(await answer.text(), '[ABC][!]');
});

test('a filter may wait, for answers of the gateway too', async (t) => {
  const later: BodyFilter = {
    write: async (chunk, push) => {
      await new Promise((resolve) => setImmediate(resolve));
      push(Buffer.from(chunk.toString('latin1').toUpperCase()));
    },
    end: async () => {},
  };
  const waiting = plugin('waiting', 1, { bodyFilter: () => later });
  const upstream = await serve(t, [waiting], { port: await startUpstream(t, (_request, response) => response.end('abc')) });
  assert.equal(await (await upstream.gateway.fetch(get())).text(), 'ABC');
  const own = await serve(t, [waiting, plugin('say', 2, { access: () => ({ status: 200, headers: [], body: 'own', reason: undefined }) })]);
  assert.equal(await (await own.gateway.fetch(get())).text(), 'OWN');
});

test('an answer to HEAD has no body to filter', async (t) => {
  let asked = false;
  const { gateway } = await serve(t, [
    plugin('shout', 1, {
      bodyFilter: () => {
        asked = true;
        return shouting;
      },
    }),
  ]);
  assert.equal((await gateway.fetch(new Request('http://test/a', { method: 'HEAD' }))).status, 200);
  assert.equal(asked, false);
});

test('a filter that throws costs that request a 500, and the log names plugin, phase and route', async (t) => {
  const { gateway, log } = await serve(t, [
    plugin('broken', 1, {
      headerFilter: () => {
        throw new Error('no');
      },
    }),
  ]);
  assert.equal((await gateway.fetch(get())).status, 500);
  const own = await serve(t, [
    plugin('broken', 1, {
      access: () => ({ status: 418, headers: [], body: '', reason: undefined }),
      headerFilter: () => {
        throw new Error('no');
      },
    }),
  ]);
  assert.equal((await own.gateway.fetch(get())).status, 500);
  assert.deepEqual(own.log.lines.at(-1)?.fields?.plugin, 'broken');
  assert.ok(log.lines.length > 0);
});

test('the log of a failure names the consumer where there is one, whatever phase failed', async (t) => {
  const fail = () => {
    throw new Error('no');
  };
  for (const phases of [{ access: fail }, { headerFilter: fail }, { bodyFilter: fail }, { log: fail }]) {
    const { gateway, log } = await serve(t, [plugin('broken', 1, phases)], { route: { 'key-auth': {}, broken: {} } });
    await gateway.fetch(get('/a', { apikey: 'the-key' })).then((answer) => answer.text());
    const failures = () => log.lines.filter(({ message }) => message === 'a plugin failed');
    while (failures().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { request_id: id, ...fields } = failures()[0]?.fields ?? {};
    assert.deepEqual(fields, { plugin: 'broken', phase: Object.keys(phases)[0], route: 'r', consumer: 'jack', credential: 'c' });
    assert.match(String(id), /^[0-9a-f]{32}$/);
  }
});

test('global rules run on requests that no route takes, and their filters and logs too', async (t) => {
  const seen: string[] = [];
  const watch = plugin('watch', 1, {
    rewrite: (request) => void seen.push(`rewrite ${request.path} ${request.route?.id ?? 'none'}`),
    headerFilter: (_request, response) => response.setHeader('X-Watch', 'yes'),
    log: (request) => void seen.push(`log ${request.status} ${request.header('x-asked') ?? ''} ${request.responseHeader('x-watch') ?? ''}`),
  });
  const { gateway } = await serve(t, [watch], { route: {}, globalRules: { watch: { plugins: { watch: {} } } } });
  const answer = await gateway.fetch(get('/nowhere', { 'X-Asked': 'who' }));
  assert.deepEqual([answer.status, await answer.text()], [404, '{"error_msg":"404 Route Not Found"}\n']);
  assert.equal(answer.headers.get('x-watch'), 'yes');
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['rewrite /nowhere none', 'log 404 who yes']);
});

test('a condition is asked once a request, and without it no phase runs', async (t) => {
  const ran: string[] = [];
  const filtered = plugin('filtered', 1, {
    rewrite: () => void ran.push('rewrite'),
    headerFilter: () => void ran.push('headerFilter'),
  });
  const { gateway } = await serve(t, [filtered], { route: { filtered: { _meta: { filter: [['arg_on', '==', '1']] } } } });
  await gateway.fetch(get('/a?on=0'));
  assert.deepEqual(ran, []);
  await gateway.fetch(get('/a?on=1'));
  assert.deepEqual(ran, ['rewrite', 'headerFilter']);
});

test('a consumer’s plugins run for it alone, and replace the route’s', async (t) => {
  const note = plugin('note', 1, { access: (request) => void request.setHeader('X-Note', request.consumer?.username ?? 'nobody') });
  const { gateway } = await serve(t, [note], { route: { 'key-auth': { anonymous_consumer: 'anonymous' } }, consumer: { note: {} } });
  const answer = await gateway.fetch(get('/a', { apikey: 'the-key' }));
  assert.equal(JSON.parse(await answer.text()).headers['x-note'], 'jack');
});

test('what one phase keeps a later one finds, and no other request', async (t) => {
  const slot = requestSlot<string>('kept');
  const { gateway } = await serve(t, [
    plugin('keeper', 1, {
      rewrite: (request) => {
        if (request.header('x-keep') !== undefined) request.set(slot, 'kept');
      },
      headerFilter: (request, response) => response.setHeader('X-Kept', request.get(slot) ?? 'nothing'),
    }),
  ]);
  assert.equal((await gateway.fetch(get('/a', { 'X-Keep': '1' }))).headers.get('x-kept'), 'kept');
  assert.equal((await gateway.fetch(get())).headers.get('x-kept'), 'nothing');
});

test('method, target, host, body and headers are what the plugins make of them', async (t) => {
  const { gateway } = await serve(t, [
    plugin('edit', 1, {
      rewrite: async (request) => {
        const body = await request.readBody(100);
        request.setMethod('PUT');
        request.setTarget('/b?c=1');
        request.setUpstreamHost('inner.example');
        request.setBody(Buffer.from(`${body === 'too-large' ? 'large' : Buffer.from(body).toString()} and more`));
        request.addHeader('X-Added', 'one');
        request.setResponseHeader('X-Early', 'set');
        return undefined;
      },
    }),
  ]);
  const answer = await gateway.fetch(new Request('http://test/a?x', { method: 'POST', body: 'sent' }));
  const seen = JSON.parse(await answer.text());
  assert.deepEqual([seen.method, seen.url, seen.headers.host, seen.body], ['PUT', '/b?c=1', 'inner.example', 'sent and more']);
  assert.equal(seen.headers['x-added'], 'one');
  assert.equal(answer.headers.get('x-early'), 'set');
});

test('a body beyond the limit of a plugin is refused', async (t) => {
  const { gateway } = await serve(t, [plugin('limit', 1, { rewrite: (request) => void request.limitBody(4) })]);
  assert.equal((await gateway.fetch(new Request('http://test/a', { method: 'POST', body: 'four' }))).status, 200);
  assert.equal((await gateway.fetch(new Request('http://test/a', { method: 'POST', body: 'fives' }))).status, 413);
});

test('a thousand policies are tested in the time of a few', async (t) => {
  const port = await startUpstream(t, (_request, response) => response.end('ok'));
  for (let policy = 0; policy < 1000; policy++) {
    const gateway = createGateway({
      services: { s: { name: 's', upstream: { nodes: [{ host: '127.0.0.1', port, weight: 1 }] } } },
      routes: {
        r: {
          name: 'r',
          service_id: 's',
          paths: ['/a'],
          plugins: { 'ip-restriction': { whitelist: [policy % 2 === 0 ? '127.0.0.1' : '10.0.0.1'] } },
        },
      },
    });
    assert.equal((await gateway.fetch(get())).status, policy % 2 === 0 ? 200 : 403);
    await gateway.close();
  }
});
