import { Type } from '../../plugin-kit/index.ts';

/** Where a limiter counts, and what it needs to know of servers. Defaults that depend on the policy are `counterServerOf`'s. */
export interface CounterServerConfiguration {
  readonly policy: 'local' | 'redis' | 'redis-cluster' | 'redis-sentinel';
  readonly redis_host?: string;
  readonly redis_port: number;
  readonly redis_username?: string;
  readonly redis_password?: string;
  readonly redis_database: number;
  readonly redis_timeout: number;
  readonly redis_ssl: boolean;
  readonly redis_ssl_verify: boolean;
  readonly redis_keepalive_timeout?: number;
  readonly redis_keepalive_pool: number;
  readonly redis_cluster_nodes?: readonly string[];
  readonly redis_cluster_name?: string;
  readonly redis_cluster_ssl: boolean;
  readonly redis_cluster_ssl_verify: boolean;
}

/** What a limiter that also asks sentinels needs to know. */
export interface SentinelConfiguration {
  readonly redis_sentinels?: readonly { readonly host: string; readonly port: number }[];
  readonly redis_master_name?: string;
  readonly redis_role: 'master' | 'slave';
  readonly redis_connect_timeout: number;
  readonly redis_read_timeout: number;
  readonly sentinel_username?: string;
  readonly sentinel_password?: string;
}

/** Top-level fields with secrets. */
export const SERVER_SECRETS: readonly string[] = Object.freeze(['redis_password']);

/** Fields of the policies `redis` and `redis-cluster`, as APISIX has them. */
export const SERVER_FIELDS = Object.freeze({
  redis_host: Type.Optional(Type.String({ minLength: 2, description: 'Redis server, for the policy redis' })),
  redis_port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, default: 6379, description: 'Its port' })),
  redis_username: Type.Optional(Type.String({ minLength: 1, description: 'User of its access list; sent only with a password' })),
  redis_password: Type.Optional(Type.String({ minLength: 0, description: 'Password; nobody signs in where it is absent or empty' })),
  redis_database: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: 'Number of the database' })),
  redis_timeout: Type.Optional(Type.Integer({ minimum: 1, default: 1000, description: 'Milliseconds to wait for an answer' })),
  redis_ssl: Type.Optional(Type.Boolean({ default: false, description: 'Connect over TLS' })),
  redis_ssl_verify: Type.Optional(Type.Boolean({ default: false, description: 'Verify the server’s certificate' })),
  redis_keepalive_timeout: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Milliseconds after which an unused connection is closed; 10000, with sentinels 60000' }),
  ),
  redis_keepalive_pool: Type.Optional(
    Type.Integer({ minimum: 1, default: 100, description: 'Accepted as APISIX does; a worker needs one connection' }),
  ),
  redis_cluster_nodes: Type.Optional(
    Type.Array(Type.String({ minLength: 2, maxLength: 100 }), {
      minItems: 1,
      description: 'Some nodes of the cluster as host:port, for the policy redis-cluster; the others are found',
    }),
  ),
  redis_cluster_name: Type.Optional(Type.String({ description: 'Name of the cluster, for logs' })),
  redis_cluster_ssl: Type.Optional(Type.Boolean({ default: false, description: 'Connect to its nodes over TLS' })),
  redis_cluster_ssl_verify: Type.Optional(Type.Boolean({ default: false, description: 'Verify their certificates' })),
});

/** Fields of the policy `redis-sentinel` beside those. */
export const SENTINEL_FIELDS = Object.freeze({
  redis_sentinels: Type.Optional(
    Type.Array(
      Type.Object(
        {
          host: Type.String({ minLength: 2, description: 'Sentinel' }),
          port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Its port' }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, description: 'Sentinels, asked in this order, for the policy redis-sentinel' },
    ),
  ),
  redis_master_name: Type.Optional(Type.String({ minLength: 1, description: 'Name under which they watch the master' })),
  redis_role: Type.Optional(
    Type.Unsafe<'master' | 'slave'>({
      enum: ['master', 'slave'],
      default: 'master',
      description: 'Accepted; the master counts in any case',
    }),
  ),
  redis_connect_timeout: Type.Optional(Type.Integer({ minimum: 1, default: 1000, description: 'Milliseconds to wait for a connection' })),
  redis_read_timeout: Type.Optional(Type.Integer({ minimum: 1, default: 1000, description: 'Milliseconds to wait for an answer' })),
  sentinel_username: Type.Optional(Type.String({ minLength: 1, description: 'User at the sentinels' })),
  sentinel_password: Type.Optional(Type.String({ description: 'Password at the sentinels' })),
});

/** What a policy needs (APISIX, `redis-schema`): to be given to `Type.Object` as options. */
export function policyConditions(policies: readonly string[]): { readonly allOf: readonly object[] } {
  return { allOf: policies.flatMap((policy) => CONDITIONS.get(policy) ?? []) };
}

const CONDITIONS: ReadonlyMap<string, object> = new Map([
  [
    'redis',
    conditionOf('redis', { required: ['redis_host'], properties: { redis_keepalive_timeout: { type: 'integer', minimum: 1000 } } }),
  ],
  [
    'redis-cluster',
    conditionOf('redis-cluster', {
      required: ['redis_cluster_nodes', 'redis_cluster_name'],
      properties: { redis_keepalive_timeout: { type: 'integer', minimum: 1000 } },
    }),
  ],
  ['redis-sentinel', conditionOf('redis-sentinel', { required: ['redis_sentinels', 'redis_master_name'] })],
]);

function conditionOf(policy: string, then: object): object {
  return { if: { required: ['policy'], properties: { policy: { const: policy } } }, then };
}
