import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import Fastify from 'fastify';
import { isLastOfConnection } from './last-of-connection.ts';

test('a client connects anew after a large answer or one in parts, and stays after a small one', () => {
  assert.equal(isLastOfConnection('x'.repeat(100_000)), true);
  assert.equal(isLastOfConnection(Buffer.alloc(100_000)), true);
  assert.equal(isLastOfConnection(Readable.from(['a part'])), true);
  for (const small of ['', '{"value":{}}', 'x'.repeat(10_000), Buffer.alloc(10), null, undefined]) {
    assert.equal(isLastOfConnection(small), false);
  }
});

test('what the framework hands over as an answer is told apart', async (t) => {
  const app = Fastify();
  t.after(() => app.close());
  const seen: boolean[] = [];
  app.addHook('onSend', async (_request, _reply, payload) => void seen.push(isLastOfConnection(payload)));
  app.get('/small', async () => ({ value: 1 }));
  app.get('/large', async () => ({ value: 'x'.repeat(100_000) }));
  app.get('/parts', async (_request, reply) => reply.send(Readable.from(['a part'])));
  for (const url of ['/small', '/large', '/parts']) await app.inject({ url });
  assert.deepEqual(seen, [false, true, true]);
});
