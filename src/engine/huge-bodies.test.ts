import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { countEndlessBytes, endlessBytes } from './testing/endless-bytes.ts';

const MEBIBYTE = 1024 * 1024;
/** `PORTCULLIS_TEST_BODY_MIB=1024` for a gibibyte each way. */
const BODY_BYTES = Number(process.env.PORTCULLIS_TEST_BODY_MIB ?? 256) * MEBIBYTE;
const WARM_UP_BYTES = 32 * MEBIBYTE;
/** What a runtime that collects its garbage when it likes may need more, and a quarter of the least that a body kept whole would. */
const MOST_GROWTH_BYTES = 64 * MEBIBYTE;

type Framing = 'length' | 'chunked';

const fieldsOf = (framing: Framing, length: number): Record<string, string> =>
  framing === 'length' ? { 'Content-Length': `${length}` } : {};

/** Takes what it is sent, and answers with as many bytes, of the framing that the path names. */
function startUpstream() {
  return createServer(async (incoming, answer) => {
    const length = await countEndlessBytes(incoming);
    answer.writeHead(200, fieldsOf(incoming.url === '/length' ? 'length' : 'chunked', length));
    await pipeline(Readable.from(endlessBytes(length)), answer).catch(() => {});
  });
}

/** Sends and gets so many bytes. */
async function exchange(port: number, framing: Framing, length: number): Promise<void> {
  const asked = request({ port, host: '127.0.0.1', method: 'POST', path: `/${framing}`, agent: false, headers: fieldsOf(framing, length) });
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  await Promise.all([pipeline(Readable.from(endlessBytes(length)), asked), answered]);
  const [answer] = await answered;
  assert.equal(answer.statusCode, 200);
  assert.equal(await countEndlessBytes(answer), length);
}

test('bodies of any size pass in either direction in memory that does not grow with them', async (t) => {
  const upstream = startUpstream().listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const address = upstream.address();
  const upstreamPort = typeof address === 'object' && address !== null ? address.port : 0;
  const file = fileURLToPath(new URL('./testing/forwarding-proxy.child.ts', import.meta.url));
  const child = fork(file, { execArgv: [], env: { ...process.env, UPSTREAM_PORT: `${upstreamPort}` } });
  t.after(() => {
    child.kill();
    upstream.closeAllConnections();
    upstream.close();
  });
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  const peakBytes = async (): Promise<number> => {
    child.send('peak');
    const [peak] = (await once(child, 'message')) as [{ readonly peakBytes: number }];
    return peak.peakBytes;
  };
  for (const framing of ['length', 'chunked'] as const) await exchange(port, framing, WARM_UP_BYTES);
  const before = await peakBytes();
  for (const framing of ['length', 'chunked'] as const) await exchange(port, framing, BODY_BYTES / 2);
  const growth = (await peakBytes()) - before;
  t.diagnostic(`${BODY_BYTES / MEBIBYTE} MiB each way: ${Math.round(growth / MEBIBYTE)} MiB more than ${Math.round(before / MEBIBYTE)}`);
  assert.ok(growth < MOST_GROWTH_BYTES, `${growth} bytes more`);
});
