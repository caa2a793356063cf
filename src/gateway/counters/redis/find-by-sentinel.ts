import type { CounterServer } from '../../../plugin-kit/index.ts';
import { RedisFailure } from './redis-failure.ts';
import { openRedisLink, type RedisDialer, type RedisLink } from './redis-link.ts';

type SentinelServer = Extract<CounterServer, { kind: 'redis-sentinel' }>;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Asks the sentinels one after the other where the master is at present.
 *
 * @throws RedisFailure of the last one when none knows
 */
export async function findBySentinel(server: SentinelServer, dialer: RedisDialer): Promise<ServerAddress> {
  let failure = new RedisFailure('there is no sentinel');
  for (const { host, port } of server.sentinels) {
    try {
      return await ask(server, dialer, host, port);
    } catch (error) {
      failure = RedisFailure.of(error, `the sentinel ${host}:${port} does not answer`);
    }
  }
  throw failure;
}

async function ask(server: SentinelServer, dialer: RedisDialer, host: string, port: number): Promise<ServerAddress> {
  const { sentinelUsername: username, sentinelPassword: password, masterName, readTimeoutMs } = server;
  const endpoint = { host, port, username, password, database: 0, tls: false, tlsVerify: false };
  const link = await openRedisLink(endpoint, dialer, server.connectTimeoutMs);
  // Its commands are rejected with it.
  const cancel = dialer.clock.schedule(readTimeoutMs, () => link.destroy());
  try {
    const address = await masterAddress(link, masterName);
    if (address === undefined) throw new RedisFailure(`the sentinel ${host}:${port} knows no such master`);
    return address;
  } finally {
    cancel();
    link.destroy();
  }
}

async function masterAddress(link: RedisLink, name: string): Promise<ServerAddress | undefined> {
  const answer = await link.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name]);
  return Array.isArray(answer) ? addressOf(answer[0], answer[1]) : undefined;
}

function addressOf(host: unknown, port: unknown): ServerAddress | undefined {
  const number = Number(port);
  return typeof host === 'string' && host !== '' && Number.isInteger(number) && number > 0 ? { host, port: number } : undefined;
}
