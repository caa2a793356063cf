import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder } from '../../../../test-support/temporary-folder.ts';
import { systemClock } from '../../../lib/clock.ts';
import { CLUSTER_SLOTS } from '../redis/cluster-map.ts';
import { openRedisLink, type RedisLink } from '../redis/redis-link.ts';
import { resolveName } from './resolve-name.ts';
import { KEYS_OF_RUN } from './server-settings.ts';

const LOOPBACK = '127.0.0.1';
const DIALER = { mayDial: () => true, resolve: resolveName, clock: systemClock };
const PATIENCE_MS = 20_000;
const DELETE_KEYS = `for _, key in ipairs(redis.call('keys', ARGV[1])) do redis.call('del', key) end`;

/** Skips the test, aloud; where skipping is forbidden, fails it. */
function skip(test: TestContext, reason: string): void {
  if (process.env.PORTCULLIS_FORBID_SKIPS === '1') throw new Error(reason);
  test.skip(reason);
}

/** Host and port of the Redis that `REDIS_URL` names, which forgets this run's keys at the end of the test; undefined where the test is to be left, which has been said then. */
export function redisOfEnvironment(test: TestContext): { readonly host: string; readonly port: number } | undefined {
  const url = process.env.REDIS_URL;
  if (url !== undefined && url !== '') {
    const { hostname, port: given } = new URL(url);
    const port = given === '' ? 6379 : Number(given);
    test.after(() => send(hostname, port, ['EVAL', DELETE_KEYS, '0', KEYS_OF_RUN], {}));
    return { host: hostname, port };
  }
  skip(test, 'NOT TESTED: REDIS_URL names no Redis server');
  return undefined;
}

/** Whether servers can be started; where not, the test is to be left, which has been said then. */
export function canStartServers(test: TestContext): boolean {
  if (spawnSync('redis-server', ['--version']).status === 0) return true;
  skip(test, 'NOT TESTED: there is no redis-server to start');
  return false;
}

/** A server that ends with the test. */
export interface StartedRedis {
  readonly port: number;
  /** A command as the default user, or as who is named. */
  command(command: readonly string[], as?: { readonly username?: string; readonly password?: string }): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts `redis-server` on a free port, without files, with further arguments. */
export async function startRedis(test: TestContext, args: readonly string[] = []): Promise<StartedRedis> {
  const port = await freePort();
  const folder = await temporaryFolder(test);
  const own = ['--port', String(port), '--bind', LOOPBACK, '--save', '', '--appendonly', 'no', '--dir', folder];
  return started(test, port, spawn('redis-server', [...own, ...args], { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Three masters that know each other and have all slots. */
export async function startRedisCluster(test: TestContext): Promise<readonly StartedRedis[]> {
  const masters = await Promise.all(
    [0, 1, 2].map(async () =>
      startRedis(test, ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '15000']),
    ),
  );
  const [first] = masters;
  if (first === undefined) throw new Error('there are three');
  const share = Math.ceil(CLUSTER_SLOTS / masters.length);
  for (const [index, master] of masters.entries()) {
    const last = Math.min(CLUSTER_SLOTS, (index + 1) * share) - 1;
    await master.command(['CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last)]);
    const bus = (await master.command(['CONFIG', 'GET', 'cluster-port'])) as readonly string[];
    await first.command(['CLUSTER', 'MEET', LOOPBACK, String(master.port), String(bus[1])]);
  }
  for (const master of masters) {
    await until(async () => {
      const slots = (await master.command(['CLUSTER', 'SLOTS'])) as readonly unknown[];
      return slots.length === masters.length && String(await master.command(['CLUSTER', 'INFO'])).includes('cluster_state:ok');
    });
  }
  return masters;
}

/** A sentinel that watches one master under the name `counters`. Both want the password that the master wants. */
export async function startSentinel(test: TestContext, master: StartedRedis, password: string): Promise<StartedRedis> {
  const port = await freePort();
  const file = path.join(await temporaryFolder(test), 'sentinel.conf');
  const lines = [
    `port ${port}`,
    `bind ${LOOPBACK}`,
    `requirepass ${password}`,
    `sentinel monitor counters ${LOOPBACK} ${master.port} 1`,
    `sentinel auth-pass counters ${password}`,
    'sentinel down-after-milliseconds counters 2000',
    'sentinel failover-timeout counters 2000',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return started(test, port, spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Asks again and again until it is so. @throws Error when it is not after 20 s */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error('it never came to be');
    await delay(10);
  }
}

async function started(test: TestContext, port: number, child: ChildProcess): Promise<StartedRedis> {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  test.after(stop);
  await readyLine(child);
  return { port, command: (command, as = {}) => send(LOOPBACK, port, command, as), stop };
}

async function readyLine(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('its output is read');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (!/Ready to accept connections|Sentinel ID is/.test(line)) continue;
    child.stdout.resume();
    return;
  }
  throw new Error(`the server did not start:\n${lines.join('\n')}`);
}

async function send(
  host: string,
  port: number,
  command: readonly string[],
  { username, password }: { readonly username?: string; readonly password?: string },
): Promise<unknown> {
  const endpoint = { host, port, username, password, database: 0, tls: false, tlsVerify: false };
  const link: RedisLink = await openRedisLink(endpoint, DIALER, PATIENCE_MS);
  try {
    return await link.send(command);
  } finally {
    link.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
