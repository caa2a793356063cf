import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { randomSequence } from '../testing/byte-pattern.ts';
import { FLAG, FRAME, fieldBlock, frameBytes } from '../testing/http2-frames.ts';
import { readAnswer } from '../testing/http2-proxy.ts';
import { startEngine } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const OK = fieldBlock([[':status', '200']]);
const SETTINGS = frameBytes(FRAME.settings, 0, 0, Buffer.alloc(0));

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Frames as no server should send them, or should, on a stream that may be. */
function randomFrame(random: () => number): Buffer {
  const pick = (most: number): number => Math.floor(random() * most);
  const stream = pick(8) === 0 ? pick(12) : 1 + 2 * pick(6);
  const ends = pick(2) === 0 ? FLAG.endStream : 0;
  switch (pick(12)) {
    case 0:
    case 1:
    case 2:
      return frameBytes(FRAME.headers, FLAG.endHeaders | ends, stream, OK);
    case 3:
    case 4:
      return frameBytes(FRAME.data, ends, stream, Buffer.alloc(pick(3_000), 'x'));
    case 5:
      return frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock([['grpc-status', '0']]));
    case 6:
      return frameBytes(FRAME.headers, FLAG.endHeaders, stream, fieldBlock([[':status', pick(2) === 0 ? '103' : 'abc']]));
    case 7:
      return frameBytes(FRAME.rstStream, 0, stream, number(pick(15)));
    case 8:
      return frameBytes(FRAME.windowUpdate, 0, pick(2) * stream, number(pick(2) === 0 ? 0x7fff_ffff : pick(1000)));
    case 9:
      return frameBytes(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 1 + pick(8)]), number(pick(100_000))]));
    case 10:
      return pick(10) === 0
        ? frameBytes(FRAME.goaway, 0, 0, Buffer.concat([number(pick(12)), number(pick(3))]))
        : frameBytes(FRAME.ping, pick(2), 0, Buffer.alloc(8));
    default:
      return frameBytes(pick(12), pick(256), stream, Buffer.from(Array.from({ length: pick(30) }, () => pick(256))));
  }
}

/** An upstream whose connections answer everything that comes by random frames. */
async function startHostile(t: TestContext, seed: number): Promise<number> {
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const random = randomSequence(seed + ++connections);
    socket.on('error', () => {});
    if (random() < 0.95) socket.write(SETTINGS);
    let answers = 0;
    socket.on('data', () => {
      // Some time each ends, as a call that nobody answers would wait for its time-out.
      if (++answers > 6 || random() < 0.05) socket.destroySoon();
      else socket.write(Buffer.concat(Array.from({ length: 1 + Math.floor(random() * 12) }, () => randomFrame(random))));
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('whatever upstreams send, each call comes to an end, and the next one is served', async (t) => {
  const hostile = await startHostile(t, 20_261_127);
  const { handler, failures, port, pool, clock, server } = await startEngine(
    t,
    (exchange) => {
      exchange.forward({
        ...planTo(target),
        isDuplex: true,
        nextTarget: (attempt, failure) => (attempt < 2 ? target : (failure ?? 'no_node')),
      });
    },
    { http2Cleartext: true },
  );
  const target = pool.target('127.0.0.1', hostile, undefined, undefined, true);
  let calls = 0;
  const statuses = new Set<number>();
  for (let round = 0; round < 60; round++) {
    const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    const answers = Array.from({ length: 10 }, (_, index) => {
      const stream = session.request({ ':method': 'POST', ':path': '/', te: 'trailers', 'content-type': 'application/grpc' });
      const answer = readAnswer(stream);
      if (index % 5 === 4) setImmediate(() => stream.close(8));
      else stream.end(Buffer.alloc(index * 200));
      return answer;
    });
    calls += answers.length;
    let isOver = false;
    const over = Promise.all(answers).then((got) => {
      isOver = true;
      for (const { status } of got) statuses.add(status);
    });
    // What is left waits for a time-out, which the clock brings about.
    for (let turn = 0; !isOver; turn++) {
      if (turn % 50 === 49) clock.advance(2_000);
      await new Promise(setImmediate);
    }
    await over;
    session.destroy();
  }
  await handler.whenFinished(calls);
  // All three kinds of ends were among them: an answer, one of the gateway, and a cut.
  for (const status of [0, 200, 502]) assert.ok(statuses.has(status), `${status} is not among ${[...statuses].join(', ')}`);
  assert.deepEqual(failures, []);
  assert.equal(server.exchangesInFlight, 0);
});
