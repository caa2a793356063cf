import { checkHeaderName, type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import {
  type CounterServerConfiguration,
  policyConditions,
  SENTINEL_FIELDS,
  SERVER_FIELDS,
  SERVER_SECRETS,
  type SentinelConfiguration,
} from '../limiting/counter-server-fields.ts';
import type { RejectionConfiguration } from '../limiting/limit-answers.ts';
import { checkLimitCount } from './check-limit-count.ts';

/** One of several limits. */
export interface LimitCountRule {
  readonly count: number | string;
  readonly time_window: number | string;
  readonly key: string;
  readonly header_prefix?: string;
}

/** The configuration, defaults in place. */
export interface LimitCountConfiguration extends CounterServerConfiguration, SentinelConfiguration, RejectionConfiguration {
  readonly count?: number | string;
  readonly time_window?: number | string;
  readonly window_type: 'fixed' | 'sliding';
  readonly rules?: readonly LimitCountRule[];
  readonly key: string;
  readonly key_type: 'var' | 'var_combination' | 'constant';
  readonly group?: string;
  readonly allow_degradation: boolean;
  readonly show_limit_quota_header: boolean;
  readonly sync_interval: number;
  readonly limit_header?: string;
  readonly remaining_header?: string;
  readonly reset_header?: string;
}

function amountField(description: string) {
  return Type.Unsafe<number | string>({ oneOf: [{ type: 'integer', exclusiveMinimum: 0 }, { type: 'string' }], description });
}

const COUNT = 'Requests that pass in a window; a text is a template that gives a whole number';
const TIME_WINDOW = 'Seconds of a window; a text is a template that gives a whole number';

const HEADER_FIELDS = {
  limit_header: Type.Optional(Type.String({ description: 'Header that tells the limit; here it wins over the metadata' })),
  remaining_header: Type.Optional(Type.String({ description: 'Header that tells how many requests are left' })),
  reset_header: Type.Optional(Type.String({ description: 'Header that tells the seconds until the window is over' })),
};

/** What can be configured of limit-count: fields, limits and defaults of APISIX's plugin. */
export const limitCountSchema: PluginSchema = {
  name: 'limit-count',
  version: '0.5',
  priority: 1002,
  type: 'other',
  schema: Type.Object(
    {
      count: Type.Optional(amountField(COUNT)),
      time_window: Type.Optional(amountField(TIME_WINDOW)),
      window_type: Type.Optional(
        Type.Unsafe<'fixed' | 'sliding'>({
          enum: ['fixed', 'sliding'],
          default: 'fixed',
          description: 'fixed: a window begins with its first request; sliding: what came in the last time_window counts',
        }),
      ),
      rules: Type.Optional(
        Type.Array(
          Type.Object({
            count: amountField(COUNT),
            time_window: amountField(TIME_WINDOW),
            key: Type.String({ description: 'Template of the key; a rule of which nothing is there does not apply' }),
            header_prefix: Type.Optional(Type.String({ description: 'Stands in the names of the rule’s headers, in place of its number' })),
          }),
          { description: 'Several limits in place of count and time_window; the first that is exceeded rejects' },
        ),
      ),
      key: Type.Optional(Type.String({ default: 'remote_addr', description: 'What counts apart' })),
      key_type: Type.Optional(
        Type.Unsafe<'var' | 'var_combination' | 'constant'>({
          enum: ['var', 'var_combination', 'constant'],
          default: 'var',
          description: 'key is the name of a variable, a template, or stands for itself',
        }),
      ),
      group: Type.Optional(Type.String({ description: 'Routes with the same group share their counters' })),
      policy: Type.Optional(
        Type.Unsafe<LimitCountConfiguration['policy']>({
          enum: ['local', 'redis', 'redis-cluster', 'redis-sentinel'],
          default: 'local',
          description: 'Count in each instance by itself, or over all instances on a server',
        }),
      ),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 503, description: 'Status of the rejection' })),
      rejected_msg: Type.Optional(Type.String({ minLength: 1, description: 'Message of the rejection' })),
      allow_degradation: Type.Optional(Type.Boolean({ default: false, description: 'Let requests pass that cannot be counted' })),
      show_limit_quota_header: Type.Optional(Type.Boolean({ default: true, description: 'Tell the client limit, rest and reset' })),
      sync_interval: Type.Optional(
        Type.Number({ default: -1, description: 'Seconds between two syncs with the server; -1: each request is counted there at once' }),
      ),
      ...SERVER_FIELDS,
      ...SENTINEL_FIELDS,
      ...HEADER_FIELDS,
    },
    policyConditions(['redis', 'redis-cluster', 'redis-sentinel']),
  ),
  metadataSchema: Type.Object({
    limit_header: Type.Optional(Type.String({ default: 'X-RateLimit-Limit', description: 'Header that tells the limit' })),
    remaining_header: Type.Optional(
      Type.String({ default: 'X-RateLimit-Remaining', description: 'Header that tells how many requests are left' }),
    ),
    reset_header: Type.Optional(
      Type.String({ default: 'X-RateLimit-Reset', description: 'Header that tells the seconds until the window is over' }),
    ),
  }),
  secretFields: [...SERVER_SECRETS, 'sentinel_password'],
  identityHeaders: [],
  sharedField: 'group',
  check: (configuration) => [...checkLimitCount(configuration), ...checkHeaderNames(configuration)],
};

function checkHeaderNames(configuration: JsonObject): readonly Issue[] {
  return Object.keys(HEADER_FIELDS).flatMap((field) => {
    const name = configuration[field];
    return typeof name === 'string' ? checkHeaderName(name, `/${field}`) : [];
  });
}
