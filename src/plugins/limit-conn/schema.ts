import { type Issue, type JsonObject, type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { type CounterServerConfiguration, policyConditions, SERVER_FIELDS, SERVER_SECRETS } from '../limiting/counter-server-fields.ts';
import type { RejectionConfiguration } from '../limiting/limit-answers.ts';

/** One of several limits. */
export interface LimitConnRule {
  readonly conn: number | string;
  readonly burst: number | string;
  readonly key: string;
}

/** The configuration, defaults in place. */
export interface LimitConnConfiguration extends CounterServerConfiguration, RejectionConfiguration {
  readonly conn?: number | string;
  readonly burst?: number | string;
  readonly default_conn_delay: number;
  readonly key?: string;
  readonly key_type: 'var' | 'var_combination';
  readonly rules?: readonly LimitConnRule[];
  readonly key_ttl: number;
  readonly allow_degradation: boolean;
}

const connField = Type.Unsafe<number | string>({
  oneOf: [{ type: 'integer', exclusiveMinimum: 0 }, { type: 'string' }],
  description: 'Requests at the same time that pass at once; a text is a template that gives a whole number',
});

const burstField = Type.Unsafe<number | string>({
  oneOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
  description: 'Requests above conn that are delayed; those beyond are rejected',
});

/** What can be configured of limit-conn: fields, limits and defaults of APISIX's plugin. */
export const limitConnSchema: PluginSchema = {
  name: 'limit-conn',
  version: '0.1',
  priority: 1003,
  type: 'other',
  runsOnStreams: true,
  schema: Type.Object(
    {
      conn: Type.Optional(connField),
      burst: Type.Optional(burstField),
      default_conn_delay: Type.Number({ exclusiveMinimum: 0, description: 'Seconds that each further conn requests wait' }),
      key: Type.Optional(Type.String({ description: 'What counts apart' })),
      key_type: Type.Optional(
        Type.Unsafe<'var' | 'var_combination'>({
          enum: ['var', 'var_combination'],
          default: 'var',
          description: 'key is the name of a variable or a template',
        }),
      ),
      rules: Type.Optional(
        Type.Array(
          Type.Object({
            conn: connField,
            burst: burstField,
            key: Type.String({ description: 'Template of the key; a rule of which nothing is there does not apply' }),
          }),
          { description: 'Several limits in place of conn, burst and key; the first that is exceeded rejects' },
        ),
      ),
      only_use_default_delay: Type.Optional(Type.Boolean({ default: false, description: 'Accepted as APISIX does; changes nothing' })),
      policy: Type.Optional(
        Type.Unsafe<'local' | 'redis' | 'redis-cluster'>({
          enum: ['local', 'redis', 'redis-cluster'],
          default: 'local',
          description: 'Count in each instance by itself, or over all instances on a server',
        }),
      ),
      key_ttl: Type.Optional(
        Type.Integer({ minimum: 1, default: 3600, description: 'Seconds after which a server forgets a request of a crashed instance' }),
      ),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 503, description: 'Status of the rejection' })),
      rejected_msg: Type.Optional(Type.String({ minLength: 1, description: 'Message of the rejection' })),
      allow_degradation: Type.Optional(Type.Boolean({ default: false, description: 'Let requests pass that cannot be counted' })),
      ...SERVER_FIELDS,
    },
    policyConditions(['redis', 'redis-cluster']),
  ),
  secretFields: SERVER_SECRETS,
  identityHeaders: [],
  check: checkForm,
};

/** APISIX has the two forms as `oneOf`. */
function checkForm({ conn, burst, key, rules }: JsonObject): readonly Issue[] {
  const hasOne = conn !== undefined && burst !== undefined && key !== undefined;
  if (hasOne && rules !== undefined) {
    return [{ pointer: '', message: 'value should match only one schema, but matches both schemas 1 and 2' }];
  }
  return hasOne || rules !== undefined ? [] : [{ pointer: '', message: 'value should match only one schema, but matches none' }];
}
