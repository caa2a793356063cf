import type { TestContext } from 'node:test';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import type { CounterServer } from '../../../plugin-kit/index.ts';
import { ServerCounters, type ServerCountersOptions } from '../redis/server-counters.ts';
import { resolveName } from './resolve-name.ts';

type Redis = Extract<CounterServer, { kind: 'redis' }>;

/** Settings of a server on this machine. */
export function redisSettings(settings: Partial<Redis> & Pick<Redis, 'port'>): Redis {
  return {
    kind: 'redis',
    host: '127.0.0.1',
    username: undefined,
    password: undefined,
    database: 0,
    timeoutMs: 5000,
    tls: false,
    tlsVerify: false,
    poolSize: 100,
    idleTimeoutMs: 10_000,
    ...settings,
  };
}

/** What one worker has, closed with the test, and the lines that it logs. */
export function serverCounters(test: Pick<TestContext, 'after'>, options: Partial<ServerCountersOptions> = {}) {
  const lines: string[] = [];
  const servers = new ServerCounters({
    clock: systemClock,
    random: systemRandom,
    log: {
      info: (message) => lines.push(message),
      warn: (message, fields) => lines.push(`${message}: ${fields?.failure}`),
    },
    mayDial: () => true,
    resolve: resolveName,
    workers: 1,
    ...options,
  });
  test.after(() => servers.close());
  return { servers, lines };
}

/** Stands in every key of this run. */
const RUN = systemRandom.bytes(9).toString('hex');

/** A key that no other test and no earlier run has used. */
export function freshKey(): string {
  return `test:${RUN}:${systemRandom.bytes(9).toString('hex')}`;
}

/** Matches the names of all counters that this run has made on a server. */
export const KEYS_OF_RUN = `plugin-limit-*:v1:test:${RUN}:*`;
