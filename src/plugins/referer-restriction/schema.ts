import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place; exactly one of the lists is there. */
export interface RefererRestrictionConfiguration {
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly bypass_missing: boolean;
  readonly message: string;
}

/** APISIX's `host_def`: `*` alone or in front, then the characters of a host name or an IPv6 address. */
const host = Type.String({ pattern: '^\\*$|^\\*?[0-9a-zA-Z._\\[\\]:-]+$' });
const hosts = (description: string) => Type.Optional(Type.Array(host, { minItems: 1, description }));

/** What can be configured of referer-restriction: fields, limits and defaults of APISIX's plugin. */
export const refererRestrictionSchema: PluginSchema = {
  name: 'referer-restriction',
  version: '0.1',
  priority: 2990,
  type: 'other',
  schema: Type.Object(
    {
      whitelist: hosts('Hosts whose pages may refer here; a leading * stands for any beginning'),
      blacklist: hosts('Hosts whose pages may not refer here; a leading * stands for any beginning'),
      bypass_missing: Type.Optional(
        Type.Boolean({ default: false, description: 'Let requests pass whose Referer is missing or malformed' }),
      ),
      message: Type.Optional(
        Type.String({ minLength: 1, maxLength: 1024, default: 'Your referer host is not allowed', description: 'Message of the refusal' }),
      ),
    },
    { oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
};
