import { type PluginSchema, Type } from '../../plugin-kit/index.ts';
import { type CounterServerConfiguration, policyConditions, SERVER_FIELDS, SERVER_SECRETS } from '../limiting/counter-server-fields.ts';
import type { RejectionConfiguration } from '../limiting/limit-answers.ts';

/** The configuration, defaults in place. */
export interface LimitReqConfiguration extends CounterServerConfiguration, RejectionConfiguration {
  readonly rate: number;
  readonly burst: number;
  readonly key: string;
  readonly key_type: 'var' | 'var_combination';
  readonly nodelay: boolean;
  readonly allow_degradation: boolean;
}

/** What can be configured of limit-req: fields, limits and defaults of APISIX's plugin. */
export const limitReqSchema: PluginSchema = {
  name: 'limit-req',
  version: '0.1',
  priority: 1001,
  type: 'other',
  schema: Type.Object(
    {
      rate: Type.Number({ exclusiveMinimum: 0, description: 'Requests a second that pass at once' }),
      burst: Type.Number({ minimum: 0, description: 'Requests above the rate that are delayed; those beyond are rejected' }),
      key: Type.String({ description: 'What counts apart' }),
      key_type: Type.Optional(
        Type.Unsafe<'var' | 'var_combination'>({
          enum: ['var', 'var_combination'],
          default: 'var',
          description: 'key is the name of a variable or a template',
        }),
      ),
      policy: Type.Optional(
        Type.Unsafe<'local' | 'redis' | 'redis-cluster'>({
          enum: ['local', 'redis', 'redis-cluster'],
          default: 'local',
          description: 'Count in each instance by itself, or over all instances on a server',
        }),
      ),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 503, description: 'Status of the rejection' })),
      rejected_msg: Type.Optional(Type.String({ minLength: 1, description: 'Message of the rejection' })),
      nodelay: Type.Optional(Type.Boolean({ default: false, description: 'Let the burst pass without delay' })),
      allow_degradation: Type.Optional(Type.Boolean({ default: false, description: 'Let requests pass that cannot be counted' })),
      ...SERVER_FIELDS,
    },
    policyConditions(['redis', 'redis-cluster']),
  ),
  secretFields: SERVER_SECRETS,
  identityHeaders: [],
};
