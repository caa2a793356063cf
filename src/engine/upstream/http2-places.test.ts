import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { FRAME } from '../testing/http2-frames.ts';
import { readAnswer } from '../testing/http2-proxy.ts';
import { answerHead, type Http2Upstream, requestOn, startHttp2Upstream } from '../testing/http2-upstream.ts';
import { turns } from '../testing/stamped-body.ts';
import { TestAdmission } from '../testing/test-admission.ts';
import { startEngine, startUpstream } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';
import { UpstreamPool } from './upstream-pool.ts';

/** An engine in front of two upstreams of HTTP/2, `/0` and `/1`, and one of HTTP/1.1, `/old`, with the pool under a limit. */
async function startThree(t: TestContext) {
  const clock = new FakeClock();
  const admission = new TestAdmission();
  const pool = new UpstreamPool({ clock, admission });
  const upstreams = [await startHttp2Upstream(t), await startHttp2Upstream(t)] as const;
  const old = await startUpstream(t);
  const targets = upstreams.map(({ port }) => pool.target('127.0.0.1', port, undefined, undefined, true));
  const oldTarget = pool.target('127.0.0.1', old.port);
  const engine = await startEngine(
    t,
    (exchange) => {
      const { head } = exchange;
      const path = head?.bytes.toString('latin1', head.targetStart, head.targetEnd) ?? '';
      exchange.forward(planTo(targets[Number(path.slice(1))] ?? oldTarget));
    },
    { pool, clock, http2Cleartext: true },
  );
  const session = connect(`http://127.0.0.1:${engine.port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const ask = async (path: string): Promise<number> => (await readAnswer(session.request({ ':path': path }))).status;
  /** A call that is the `number`th, from 0, on the upstream's connection `connection`. */
  const serve = async (upstream: Http2Upstream, connection: number, number: number): Promise<void> => {
    const frames = await upstream.connection(connection);
    await requestOn(frames, 1 + 2 * number);
    answerHead(frames, 1 + 2 * number, true);
  };
  const call = async (which: 0 | 1, connection: number, number: number): Promise<void> => {
    const answer = ask(`/${which}`);
    await serve(upstreams[which], connection, number);
    assert.equal(await answer, 200);
  };
  return { ...engine, clock, admission, upstreams, targets, old, ask, call, serve };
}

async function noneLeft(admission: TestAdmission): Promise<void> {
  while (admission.upstreams > 0) await turns(1);
}

test('a connection of HTTP/2 without calls counts as one, and its next call takes its place', async (t) => {
  const { admission, call, ask, serve, upstreams } = await startThree(t);
  admission.upstreamLimit = 2;
  await call(0, 0, 0);
  assert.equal(admission.upstreams, 1);
  for (let number = 1; number < 4; number++) await call(0, 0, number);
  const both = [ask('/0'), ask('/0')];
  await serve(upstreams[0], 0, 4);
  await serve(upstreams[0], 0, 5);
  assert.deepEqual(await Promise.all(both), [200, 200]);
  assert.equal(admission.upstreams, 1);
  assert.equal(upstreams[0].connections.length, 1);
  assert.deepEqual(admission.refusals, []);
  const [connection] = upstreams[0].connections;
  connection?.socket.destroy();
  await noneLeft(admission);
  await call(0, 1, 0);
  assert.equal(admission.upstreams, 1);
});

test('out of connections the longest idle one makes room, whatever it speaks', async (t) => {
  const { admission, call, ask, upstreams, old, clock } = await startThree(t);
  admission.upstreamLimit = 2;
  const answerOld = async (answer: Promise<number>): Promise<void> => {
    const connection = await old.connection();
    await connection.takeThrough('\r\n\r\n');
    connection.send('HTTP/1.1 204 No Content\r\n\r\n');
    assert.equal(await answer, 204);
  };
  await call(0, 0, 0);
  clock.advance(10);
  await call(1, 0, 0);
  clock.advance(10);
  assert.equal(admission.upstreams, 2);
  await answerOld(ask('/old'));
  await upstreams[0].connections[0]?.whenClosed();
  assert.equal(upstreams[0].connections[0]?.received.at(-1)?.type, FRAME.goaway);
  assert.equal(upstreams[1].connections[0]?.closed, false);
  clock.advance(10);
  // The one of HTTP/1.1 has been idle for less long than the other.
  await call(0, 1, 0);
  await upstreams[1].connections[0]?.whenClosed();
  clock.advance(10);
  await call(1, 1, 0);
  await old.connections[0]?.takeRest();
  assert.equal(admission.upstreams, 2);
  assert.deepEqual(admission.refusals, []);
});

test('calls under way make no room, and another one is refused', async (t) => {
  const { admission, ask, call, upstreams, pool, serve } = await startThree(t);
  admission.upstreamLimit = 1;
  const answer = ask('/0');
  await requestOn(await upstreams[0].connection(0), 1);
  assert.equal(await ask('/1'), 503);
  pool.closeIdle(10);
  assert.deepEqual(admission.refusals, ['too_many_upstream_connections']);
  await serve(upstreams[0], 0, 0);
  assert.equal(await answer, 200);
  await call(0, 0, 1);
  pool.closeIdle(1);
  await upstreams[0].connections[0]?.whenClosed();
  assert.equal(admission.upstreams, 0);
});

test('a connection of HTTP/2 to an upstream that is used no more is given up, though the upstream never closes it', async (t) => {
  const { admission, call, upstreams, pool, targets, clock } = await startThree(t);
  await call(0, 0, 0);
  const [connection] = upstreams[0].connections;
  assert.ok(connection !== undefined);
  // The half of the upstream stays open.
  connection.socket.allowHalfOpen = true;
  for (const target of targets) pool.retire(target);
  await connection.frame(({ type }) => type === FRAME.goaway);
  assert.equal(admission.upstreams, 1);
  for (let second = 0; second < 5; second++) clock.advance(1_000);
  await noneLeft(admission);
});
