import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestCertificate } from '../../../../test-support/test-certificate.ts';
import { canStartServers, startRedis, startSentinel, until } from '../testing/redis-servers.ts';
import { startRelay } from '../testing/relay.ts';
import { freshKey, redisSettings, serverCounters } from '../testing/server-settings.ts';

const PASSWORD = 'a-password-of-this-test';

test('a server with a password and with users of its access list is signed in to', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t, ['--requirepass', PASSWORD]);
  const keys = ['~plugin-limit-*', '+@all'];
  await redis.command(['ACL', 'SETUSER', 'gateway', 'on', '>of-the-gateway', ...keys], { password: PASSWORD });
  await redis.command(['ACL', 'SETUSER', 'stranger', 'on', '>of-the-stranger', '~other*', '+@all'], { password: PASSWORD });
  const { servers } = serverCounters(t);
  const kindOf = async (username: string | undefined, password: string | undefined) => {
    const { counters } = servers.lease(redisSettings({ port: redis.port, username, password }));
    const decision = await counters.fixedWindow(freshKey(), 1, 60_000);
    return decision.kind === 'unavailable' ? decision.detail : decision.kind;
  };
  assert.equal(await kindOf(undefined, PASSWORD), 'allowed');
  assert.equal(await kindOf('gateway', 'of-the-gateway'), 'allowed');
  assert.equal(await kindOf('gateway', PASSWORD), 'the server answered WRONGPASS');
  assert.equal(await kindOf(undefined, undefined), 'the server answered NOAUTH');
  assert.equal(await kindOf('stranger', 'of-the-stranger'), 'the server answered NOPERM');
});

test('keys lie in the database of the settings under the names of the plugins', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const { servers } = serverCounters(t);
  const { counters } = servers.lease(redisSettings({ port: redis.port, database: 3 }));
  await counters.fixedWindow('route/1:abc:10.0.0.1', 5, 60_000);
  await counters.slidingWindow('route/1:abc:10.0.0.1', 5, 60_000);
  await counters.leakyBucket('route/1:abc:10.0.0.1', 0.01, 5);
  await counters.enter('route/1:abc:10.0.0.1', 5);
  const { port } = redis;
  assert.deepEqual(await redis.command(['KEYS', '*']), []);
  const other = servers.lease(redisSettings({ port, database: 3 }));
  assert.equal(other.counters, counters);
  const listing = String(await redis.command(['INFO', 'keyspace']));
  assert.match(listing, /db3:keys=4,expires=4/);
  await redis.command(['SWAPDB', '0', '3']);
  assert.deepEqual([...((await redis.command(['KEYS', '*'])) as readonly string[])].sort(), [
    'plugin-limit-conn:v1:route/1:abc:10.0.0.1',
    'plugin-limit-count:v1:route/1:abc:10.0.0.1',
    'plugin-limit-count:v1:route/1:abc:10.0.0.1:sliding',
    'plugin-limit-req:v1:route/1:abc:10.0.0.1',
  ]);
});

test('a server that forgot the scripts gets them again', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const { counters } = serverCounters(t).servers.lease(redisSettings({ port: redis.port }));
  const key = freshKey();
  assert.equal((await counters.fixedWindow(key, 2, 60_000)).kind, 'allowed');
  await redis.command(['SCRIPT', 'FLUSH']);
  assert.equal((await counters.fixedWindow(key, 2, 60_000)).kind, 'allowed');
  assert.equal((await counters.fixedWindow(key, 2, 60_000)).kind, 'rejected');
});

test('over TLS an unknown certificate is accepted unless it is to be verified', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port, await createTestCertificate());
  const { servers } = serverCounters(t);
  const trusting = servers.lease(redisSettings({ host: 'localhost', port: relay.port, tls: true })).counters;
  assert.equal((await trusting.fixedWindow(freshKey(), 1, 1000)).kind, 'allowed');
  const strict = servers.lease(redisSettings({ host: 'localhost', port: relay.port, tls: true, tlsVerify: true })).counters;
  const decision = await strict.fixedWindow(freshKey(), 1, 1000);
  assert.equal(decision.kind === 'unavailable' && decision.detail, `no connection to localhost:${relay.port}: DEPTH_ZERO_SELF_SIGNED_CERT`);
});

test('addresses that may not be dialled are not, by whatever name', async (t) => {
  const { servers } = serverCounters(t, {
    mayDial: (address) => address !== '10.9.8.7' && address !== '127.0.0.1',
    resolve: (name) => (name === 'nowhere.test' ? Promise.reject(new Error('unknown')) : Promise.resolve(['10.9.8.7', '127.0.0.1'])),
  });
  const detailOf = async (host: string) => {
    const decision = await servers.lease(redisSettings({ host, port: 6379 })).counters.fixedWindow(freshKey(), 1, 1000);
    return decision.kind === 'unavailable' ? decision.detail : decision.kind;
  };
  assert.equal(await detailOf('127.0.0.1'), 'connections to 127.0.0.1:6379 are not allowed');
  assert.equal(await detailOf('::ffff:127.0.0.1'), 'connections to ::ffff:127.0.0.1:6379 are not allowed');
  assert.equal(await detailOf('redis.test'), 'redis.test has no address that may be connected to');
  assert.equal(await detailOf('nowhere.test'), 'nowhere.test has no address');
});

test('a silent server makes counters unavailable within the time-out, and is not asked over and over', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port);
  const { servers, lines } = serverCounters(t);
  const timeoutMs = 700;
  const { counters } = servers.lease(redisSettings({ port: relay.port, timeoutMs }));
  assert.equal((await counters.fixedWindow(freshKey(), 1, 1000)).kind, 'allowed');
  relay.silent = true;
  const beganMs = performance.now();
  const answers = await Promise.all(Array.from({ length: 3000 }, () => counters.fixedWindow('key', 1, 1000)));
  const tookMs = performance.now() - beganMs;
  assert.ok(answers.every(({ kind }) => kind === 'unavailable'));
  // All at once, however slow the machine is: one after the other they would take 3,000 time-outs.
  assert.ok(tookMs >= timeoutMs - 20 && tookMs < timeoutMs * 100, `${tookMs} ms`);
  const details = new Set(answers.map((answer) => answer.kind === 'unavailable' && answer.detail));
  // One was late, and with it all were given up that waited on the same connection.
  const expected = ['the connection was lost', 'the server did not answer within 700 ms', 'too many requests wait for the server'];
  assert.deepEqual([...details].sort(), expected);
  const acceptedBefore = relay.accepted;
  // Nobody waits for a server that is known to be silent, but for an attempt now and then.
  const untilMs = performance.now() + 2000;
  while (performance.now() < untilMs) await counters.fixedWindow('key', 1, 1000);
  assert.ok(relay.accepted - acceptedBefore <= 3, `${relay.accepted - acceptedBefore} attempts`);
  relay.silent = false;
  await until(async () => (await counters.fixedWindow(freshKey(), 1, 1000)).kind === 'allowed');
  assert.deepEqual(lines, ['a counter server does not answer: the server did not answer within 700 ms', 'a counter server answers again']);
});

test('after a lost connection another one is opened', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port);
  const { counters } = serverCounters(t).servers.lease(redisSettings({ port: relay.port }));
  const key = freshKey();
  assert.equal((await counters.fixedWindow(key, 2, 60_000)).kind, 'allowed');
  relay.cut();
  await until(async () => (await counters.fixedWindow(key, 1, 60_000)).kind === 'rejected');
  assert.equal(relay.accepted, 2);
});

test('what is left while the server does not answer is taken out afterwards', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port);
  const { counters } = serverCounters(t).servers.lease(redisSettings({ port: relay.port, timeoutMs: 700 }));
  const key = freshKey();
  const entry = await counters.enter(key, 1);
  relay.silent = true;
  // Counted there, but nobody heard of it: it is to be taken out as well.
  assert.equal((await counters.enter(`${key} lost`, 1)).kind, 'unavailable');
  if (entry.kind === 'entered') entry.leave();
  relay.silent = false;
  for (const each of [key, `${key} lost`]) await until(async () => (await counters.enter(each, 1)).kind === 'entered');
});

test('what is left right before the end is taken out all the same', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const { servers } = serverCounters(t);
  const key = freshKey();
  const lease = servers.lease(redisSettings({ port: redis.port }));
  const entry = await lease.counters.enter(key, 1);
  if (entry.kind === 'entered') entry.leave();
  await lease.release();
  assert.equal((await servers.lease(redisSettings({ port: redis.port })).counters.enter(key, 1)).kind, 'entered');
});

test('one client serves all who name the same settings, and is closed with the last', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port);
  const { servers } = serverCounters(t);
  const first = servers.lease(redisSettings({ port: relay.port }));
  assert.equal(relay.accepted, 0);
  const second = servers.lease(redisSettings({ port: relay.port }));
  await Promise.all([first, second].map(({ counters }) => counters.fixedWindow(freshKey(), 1, 1000)));
  assert.deepEqual([servers.size, relay.accepted], [1, 1]);
  await first.release();
  assert.equal((await second.counters.fixedWindow(freshKey(), 1, 1000)).kind, 'allowed');
  await second.release();
  assert.equal(servers.size, 0);
  await until(() => relay.open === 0);
  assert.equal((await second.counters.fixedWindow(freshKey(), 1, 1000)).kind, 'unavailable');
});

test('a connection that nobody uses is closed, and opened again when somebody does', async (t) => {
  if (!canStartServers(t)) return;
  const redis = await startRedis(t);
  const relay = await startRelay(t, redis.port);
  const { counters } = serverCounters(t).servers.lease(redisSettings({ port: relay.port, idleTimeoutMs: 50 }));
  await counters.fixedWindow(freshKey(), 1, 1000);
  await until(() => relay.open === 0);
  assert.equal((await counters.fixedWindow(freshKey(), 1, 1000)).kind, 'allowed');
  assert.equal(relay.accepted, 2);
});

test('the master that the sentinels name keeps the counters, and after a failover the new one does', async (t) => {
  if (!canStartServers(t)) return;
  const secured = ['--requirepass', PASSWORD, '--masterauth', PASSWORD, '--repl-diskless-sync-delay', '0'];
  const master = await startRedis(t, secured);
  const replica = await startRedis(t, [...secured, '--replicaof', `127.0.0.1 ${master.port}`]);
  await until(async () => String(await replica.command(['INFO', 'replication'], { password: PASSWORD })).includes('master_link_status:up'));
  const sentinel = await startSentinel(t, master, PASSWORD);
  const settings = {
    kind: 'redis-sentinel',
    sentinels: [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: sentinel.port },
    ],
    masterName: 'counters',
    username: undefined,
    password: PASSWORD,
    sentinelUsername: undefined,
    sentinelPassword: PASSWORD,
    database: 0,
    connectTimeoutMs: 2000,
    readTimeoutMs: 2000,
    idleTimeoutMs: 60_000,
  } as const;
  const { servers } = serverCounters(t);
  const { counters } = servers.lease(settings);
  const key = freshKey();
  await until(async () => (await counters.fixedWindow(key, 1, 600_000)).kind !== 'unavailable');
  const unknown = await servers.lease({ ...settings, masterName: 'others' }).counters.fixedWindow(key, 1, 1000);
  assert.equal(unknown.kind, 'unavailable');
  await until(async () => (await sentinel.command(['SENTINEL', 'SLAVES', 'counters'], { password: PASSWORD }) as readonly unknown[]).length === 1); // biome-ignore format: one line
  const isOnReplica = async (counter: string): Promise<boolean> =>
    String(await replica.command(['EXISTS', `plugin-limit-count:v1:${counter}`], { password: PASSWORD }).catch(() => 0)) === '1';
  await until(() => isOnReplica(key));
  await master.stop();
  await until(async () => {
    const fresh = freshKey();
    return (await counters.fixedWindow(fresh, 1, 60_000)).kind === 'allowed' && (await isOnReplica(fresh));
  });
  assert.equal((await counters.fixedWindow(key, 1, 600_000)).kind, 'rejected');
});
