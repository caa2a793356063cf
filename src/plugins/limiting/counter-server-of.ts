import type { CounterServer } from '../../plugin-kit/index.ts';
import type { CounterServerConfiguration, SentinelConfiguration } from './counter-server-fields.ts';

const KEEPALIVE_MS = 10_000;
const SENTINEL_KEEPALIVE_MS = 60_000;

/** The server that a configuration counts on, with the defaults of its policy; undefined for counters of the instance. */
export function counterServerOf(configuration: CounterServerConfiguration & Partial<SentinelConfiguration>): CounterServer | undefined {
  switch (configuration.policy) {
    case 'local':
      return undefined;
    case 'redis':
      return {
        kind: 'redis',
        host: configuration.redis_host ?? '',
        port: configuration.redis_port,
        username: configuration.redis_username,
        password: configuration.redis_password,
        database: configuration.redis_database,
        timeoutMs: configuration.redis_timeout,
        tls: configuration.redis_ssl,
        tlsVerify: configuration.redis_ssl_verify,
        poolSize: configuration.redis_keepalive_pool,
        idleTimeoutMs: configuration.redis_keepalive_timeout ?? KEEPALIVE_MS,
      };
    case 'redis-cluster':
      return {
        kind: 'redis-cluster',
        nodes: configuration.redis_cluster_nodes ?? [],
        name: configuration.redis_cluster_name ?? '',
        username: configuration.redis_username,
        password: configuration.redis_password,
        timeoutMs: configuration.redis_timeout,
        tls: configuration.redis_cluster_ssl,
        tlsVerify: configuration.redis_cluster_ssl_verify,
        idleTimeoutMs: configuration.redis_keepalive_timeout ?? KEEPALIVE_MS,
      };
    case 'redis-sentinel':
      return sentinelServerOf(configuration);
  }
}

/** Whatever `redis_role` says, the master counts: a replica takes no writes, and would lose them with its next sync. */
function sentinelServerOf(configuration: CounterServerConfiguration & Partial<SentinelConfiguration>): CounterServer {
  return {
    kind: 'redis-sentinel',
    sentinels: configuration.redis_sentinels ?? [],
    masterName: configuration.redis_master_name ?? '',
    username: configuration.redis_username,
    password: configuration.redis_password,
    sentinelUsername: configuration.sentinel_username,
    sentinelPassword: configuration.sentinel_password,
    database: configuration.redis_database,
    connectTimeoutMs: configuration.redis_connect_timeout ?? 1000,
    readTimeoutMs: configuration.redis_read_timeout ?? 1000,
    idleTimeoutMs: configuration.redis_keepalive_timeout ?? SENTINEL_KEEPALIVE_MS,
  };
}
