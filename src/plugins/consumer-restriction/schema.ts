import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** What of a request is compared with the lists. */
export type RestrictedValue = 'consumer_name' | 'service_id' | 'route_id' | 'consumer_group_id';

/** Which methods one of the values may use. */
export interface AllowedMethods {
  readonly user?: string;
  readonly methods?: readonly string[];
}

/** The configuration, defaults in place; at least one of the lists is there. */
export interface ConsumerRestrictionConfiguration {
  readonly type: RestrictedValue;
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly allowed_by_methods?: readonly AllowedMethods[];
  readonly rejected_code: number;
  readonly rejected_msg?: string;
}

const TYPES: readonly RestrictedValue[] = ['consumer_name', 'service_id', 'route_id', 'consumer_group_id'];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'PURGE'];

const values = (description: string) => Type.Optional(Type.Array(Type.String(), { minItems: 1, description }));
const methods = Type.Array(Type.Unsafe<string>({ type: 'string', enum: METHODS }), { minItems: 1, description: 'Methods that it may use' });

/** What can be configured of consumer-restriction: fields, limits and defaults of APISIX's plugin; statuses end with 599. */
export const consumerRestrictionSchema: PluginSchema = {
  name: 'consumer-restriction',
  version: '0.1',
  priority: 2400,
  type: 'other',
  schema: Type.Object(
    {
      type: Type.Optional(
        Type.Unsafe<RestrictedValue>({
          type: 'string',
          enum: TYPES,
          default: 'consumer_name',
          description: 'What is looked up in the lists',
        }),
      ),
      whitelist: values('May pass, with every method; all others may not'),
      blacklist: values('May not pass'),
      allowed_by_methods: Type.Optional(
        Type.Array(
          Type.Object({ user: Type.Optional(Type.String({ description: 'A value, as in the lists' })), methods: Type.Optional(methods) }),
          { description: 'Methods that each may use; who is not named may use all. Not looked at where there is a whitelist' },
        ),
      ),
      rejected_code: Type.Optional(Type.Integer({ minimum: 200, maximum: 599, default: 403, description: 'Status of the refusal' })),
      rejected_msg: Type.Optional(Type.String({ description: 'Message of the refusal' })),
    },
    { anyOf: [{ required: ['blacklist'] }, { required: ['whitelist'] }, { required: ['allowed_by_methods'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
};
