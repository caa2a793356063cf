import assert from 'node:assert/strict';
import test from 'node:test';
import type { BodyFilter } from '../../plugin-kit/index.ts';
import { get, plugin, serve } from './testing/serve-plugins.ts';

/** Nobody listens there: the engine answers 502. */
const DEAD = 1;

test('the answer to an upstream that failed is rewritten like any other', async (t) => {
  const { gateway } = await serve(t, [], {
    port: DEAD,
    route: { 'response-rewrite': { status_code: 503, body: 'sorry', headers: { set: { 'X-Sorry': 'yes' } } } },
  });
  const answer = await gateway.fetch(get());
  assert.deepEqual([answer.status, answer.headers.get('x-sorry'), await answer.text()], [503, 'yes', 'sorry']);
  assert.equal(answer.headers.get('content-length'), '5');
});

test('filters of its body are applied, those of global rules and of the route', async (t) => {
  const rewrite = (from: string, to: string) => ({ 'response-rewrite': { filters: [{ regex: from, replace: to }] } });
  const { gateway } = await serve(t, [], {
    port: DEAD,
    route: rewrite('error_msg', 'fault'),
    globalRules: { 'response-rewrite': { plugins: rewrite('error_msg', 'error_msg_1') } },
  });
  const answer = await gateway.fetch(get());
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /^\{"fault_1":"/);
});

test('it is not compressed, and its head does not say so', async (t) => {
  const { gateway } = await serve(t, [], { port: DEAD, route: { gzip: { min_length: 1, types: '*' } } });
  const answer = await gateway.fetch(get('/a', { 'Accept-Encoding': 'gzip' }));
  assert.deepEqual([answer.status, answer.headers.get('content-encoding')], [502, null]);
  assert.match(await answer.text(), /^\{"error_msg":/);
});

test('where a body filter waits, plugins that change bodies take no part, and the others still do', async (t) => {
  const later: BodyFilter = {
    write: async (_chunk, push) => {
      await new Promise((resolve) => setImmediate(resolve));
      push(Buffer.from('late'));
    },
    end: () => Promise.reject(new Error('nobody waits for it')),
  };
  const { gateway } = await serve(
    t,
    [
      plugin('late', 2, { headerFilter: (_request, response) => response.setHeader('X-Late', '1'), bodyFilter: () => later }),
      plugin('mark', 1, { headerFilter: (_request, response) => response.setHeader('X-Mark', '1') }),
    ],
    { port: DEAD },
  );
  const answer = await gateway.fetch(get());
  assert.deepEqual([answer.status, answer.headers.get('x-late'), answer.headers.get('x-mark')], [502, null, '1']);
  assert.match(await answer.text(), /^\{"error_msg":/);
});
