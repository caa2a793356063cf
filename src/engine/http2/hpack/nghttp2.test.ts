import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { type Field, newDecoder, readBlock, writeBlock } from '../../testing/hpack-reading.ts';
import { FLAG, FRAME } from '../../testing/http2-frames.ts';
import { readAnswer } from '../../testing/http2-proxy.ts';
import { startHttp2Upstream } from '../../testing/http2-upstream.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { HPACK } from './hpack-outcome.ts';

/** Lists that make use of everything: names of both tables and of none, long and short values, every byte that a value may have. */
const LISTS: readonly (readonly Field[])[] = Array.from({ length: 60 }, (_, index): readonly Field[] => [
  ['x-same', 'always the same'],
  ['x-number', `${index}`],
  [`x-name-${index % 7}`, `a${'b'.repeat(index * 10)}`],
  ['user-agent', `agent ${index % 3}`],
  ['etag', `"${index % 2}"`],
  ['authorization', `Bearer ${index}`],
  ['x-bytes', String.fromCharCode(...Array.from({ length: 20 }, (__, at) => 0x21 + ((index * 20 + at) % 0x5e)))],
  ['x-latin', String.fromCharCode(...Array.from({ length: 128 }, (__, at) => 0x80 + at))],
]);

for (const headerTableSize of [4096, 300, 0, 65_536])
  test(`nghttp2 understands what is written, and is understood, with a table of ${headerTableSize} bytes`, async (t) => {
    const upstream = await startHttp2Upstream(t);
    const session = connect(`http://127.0.0.1:${upstream.port}`, { settings: { headerTableSize } });
    session.on('error', () => {});
    t.after(() => session.destroy());
    const server = await upstream.connection(0);
    const decoder = newDecoder();
    const encoder = new HpackEncoder(4096);
    encoder.resizeTable(headerTableSize);
    for (const [index, list] of LISTS.entries()) {
      const answer = readAnswer(session.request(Object.fromEntries(list), { endStream: true }));
      const stream = index * 2 + 1;
      const head = await server.frame(({ type, stream: on }) => type === FRAME.headers && on === stream);
      const { outcome, fields } = readBlock(decoder, head?.payload ?? Buffer.alloc(0));
      assert.equal(outcome, HPACK.done);
      assert.deepEqual(
        fields.filter(([name]) => !name.startsWith(':')),
        list,
      );
      server.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, writeBlock(encoder, [[':status', '200'], ...list]));
      const { headers } = await answer;
      for (const [name, value] of list) assert.equal(headers[name], value);
    }
  });
