import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PatternCheck, patternBytes } from '../testing/byte-pattern.ts';
import { TestAdmission } from '../testing/test-admission.ts';
import { closedPort, startUpstream } from '../testing/test-engine.ts';
import { STREAM_PLAN, startStreams } from '../testing/test-streams.ts';

const PIECE = 256 * 1024;
const PIECES = 64;

async function startJoined(test: Parameters<typeof startStreams>[0]) {
  const streams = await startStreams(test);
  const upstream = await startUpstream(test);
  streams.handler.targets = [streams.pool.target('127.0.0.1', upstream.port)];
  return { ...streams, upstream };
}

test('bytes go both ways, and an end of one side is passed on alone', async (t) => {
  const { handler, upstream, client: connect } = await startJoined(t);
  const client = await connect();
  client.send('ping');
  const server = await upstream.connection();
  assert.equal(await server.takeThrough('ping'), 'ping');
  client.socket.end();
  assert.equal(await server.takeRest(), '');
  server.send('late answer');
  assert.equal(await client.takeThrough('answer'), 'late answer');
  server.socket.end();
  assert.equal(await client.takeRest(), '');
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.bytesFromClient, facts?.bytesToClient, facts?.attempts], [undefined, 4, 11, 1]);
});

test('a server that speaks first is heard before the client has said anything', async (t) => {
  const { upstream, client: connect } = await startJoined(t);
  const client = await connect();
  const server = await upstream.connection();
  server.send('220 ready\r\n');
  assert.equal(await client.takeThrough('\r\n'), '220 ready\r\n');
});

test('much goes through unchanged both ways at once, at the pace of who reads', async (t) => {
  const { upstream, client: connect } = await startJoined(t);
  const client = await connect();
  const server = await upstream.connection();
  const send = async (side: typeof client, owner: number): Promise<void> => {
    for (let piece = 0; piece < PIECES; piece++) await side.sendAll(patternBytes(owner, piece * PIECE, PIECE));
    side.socket.end();
  };
  const receive = async (side: typeof client, owner: number): Promise<void> => {
    const check = new PatternCheck(owner);
    for (let piece = 0; piece < PIECES; piece++) check.take(await side.takeBytes(PIECE));
  };
  await Promise.all([send(client, 1), send(server, 2), receive(client, 2), receive(server, 1)]);
});

test('a node that refuses is passed over before anything was read of the client', async (t) => {
  const { handler, pool, upstream, client: connect } = await startJoined(t);
  handler.targets = [pool.target('127.0.0.1', await closedPort(t)), ...handler.targets];
  const client = await connect();
  client.send('all of it');
  const server = await upstream.connection();
  assert.equal(await server.takeThrough('it'), 'all of it');
  client.socket.end();
  server.socket.end();
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.attempts], [undefined, 2]);
});

test('where no node can be reached the client is cut off, and the first failure is told', async (t) => {
  const { handler, pool, client: connect } = await startJoined(t);
  handler.targets = [pool.target('127.0.0.1', await closedPort(t))];
  const client = await connect();
  await client.whenClosed();
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.attempts], ['connect_refused', 1]);
});

test('a node that does not accept in time is passed over', async (t) => {
  const { handler, clock, pool, upstream, client: connect } = await startJoined(t);
  // An address of the documentation's own network: packets to it go nowhere, or are refused at once.
  handler.targets = [pool.target('192.0.2.1', 9), ...handler.targets];
  const client = await connect();
  client.send('x');
  while (handler.clients.length === 0) await new Promise(setImmediate);
  clock.advance(6000);
  const server = await upstream.connection();
  assert.equal(await server.takeThrough('x'), 'x');
});

test('a refusal closes the connection without asking any upstream', async (t) => {
  const { handler, upstream, client: connect } = await startJoined(t);
  handler.decide = () => Promise.resolve('address_forbidden');
  const client = await connect();
  client.send('hello');
  await client.whenClosed();
  const [facts] = await handler.whenFinished(1);
  assert.deepEqual([facts?.reason, facts?.attempts, upstream.connections.length], ['address_forbidden', 0, 0]);
});

test('a handler that throws costs its own connection only', async (t) => {
  const { handler, failures, client: connect } = await startJoined(t);
  handler.decide = () => {
    throw new Error('on purpose');
  };
  await (await connect()).whenClosed();
  handler.decide = () => Promise.reject(new Error('later'));
  await (await connect()).whenClosed();
  const finished = await handler.whenFinished(2);
  assert.deepEqual(
    finished.map(({ reason }) => reason),
    ['internal', 'internal'],
  );
  assert.equal(failures.length, 2);
});

test('what is thrown while a node is chosen or connected to ends that connection alone', async (t) => {
  const { handler, pool, failures, upstream, client: connect } = await startJoined(t);
  const { nextTarget } = handler;
  handler.nextTarget = () => {
    throw new Error('no target');
  };
  await (await connect()).whenClosed();
  const refusing = pool.target('127.0.0.1', await closedPort(t));
  // The second is asked for when the first has failed, far from the decision.
  handler.nextTarget = (attempt) => (attempt === 0 ? refusing : { address: 'no target of the pool', port: 1 });
  await (await connect()).whenClosed();
  const finished = await handler.whenFinished(2);
  assert.deepEqual([finished.map(({ reason }) => reason), failures.length, handler.reached], [['internal', 'internal'], 2, 0]);
  handler.nextTarget = nextTarget;
  const client = await connect();
  client.send('ping');
  assert.equal(await (await upstream.connection()).takeThrough('ping'), 'ping');
  assert.equal(handler.reached, 1);
});

test('a connection on which nothing happens is ended after the idle time-out', async (t) => {
  const { handler, clock, upstream, client: connect } = await startJoined(t);
  const client = await connect();
  const server = await upstream.connection();
  client.send('x');
  await server.takeThrough('x');
  clock.advance(STREAM_PLAN.idleTimeoutMs + 1000);
  await Promise.all([client.whenClosed(), server.whenClosed()]);
  const [facts] = await handler.whenFinished(1);
  assert.equal(facts?.reason, 'tunnel_idle');
});

test('a reset of either side resets the other', async (t) => {
  const { handler, upstream, client: connect } = await startJoined(t);
  const first = await connect();
  first.send('x');
  const server = await upstream.connection();
  await server.takeThrough('x');
  server.socket.resetAndDestroy();
  await first.whenClosed();
  const second = await connect();
  second.send('x');
  const other = await upstream.connection();
  await other.takeThrough('x');
  second.socket.resetAndDestroy();
  await other.whenClosed();
  const finished = await handler.whenFinished(2);
  assert.deepEqual(
    finished.map(({ reason }) => reason),
    ['upstream_truncated', 'client_aborted'],
  );
});

test('connections beyond the limit are closed, and each is counted and given back once', async (t) => {
  const admission = new TestAdmission();
  admission.clientLimit = 1;
  const { handler, pool, client: connect } = await startStreams(t, { admission });
  const upstream = await startUpstream(t);
  handler.targets = [pool.target('127.0.0.1', upstream.port)];
  const first = await connect();
  const server = await upstream.connection();
  assert.equal(await (await connect()).takeRest(), '');
  assert.deepEqual(admission.refusals, ['too_many_connections']);
  assert.deepEqual([admission.clients, admission.upstreams], [1, 1]);
  first.socket.end();
  server.socket.end();
  await handler.whenFinished(1);
  await Promise.all([first.whenClosed(), server.whenClosed()]);
  while (admission.upstreams > 0) await new Promise(setImmediate);
  assert.equal(admission.clients, 0);
});

test('a drain lets connections go on until they are cut', async (t) => {
  const { server: streams, handler, upstream, client: connect } = await startJoined(t);
  const client = await connect();
  client.send('x');
  const server = await upstream.connection();
  await server.takeThrough('x');
  streams.stopAccepting();
  server.send('still here');
  await client.takeThrough('here');
  streams.destroyAll();
  await Promise.all([client.whenClosed(), server.whenClosed(), streams.whenIdle()]);
  const [facts] = await handler.whenFinished(1);
  assert.equal(facts?.reason, 'drain_timeout');
});
