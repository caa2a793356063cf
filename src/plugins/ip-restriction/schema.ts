import { checkNetworks, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place; exactly one of the lists is there. */
export interface IpRestrictionConfiguration {
  readonly whitelist?: readonly string[];
  readonly blacklist?: readonly string[];
  readonly message: string;
  readonly response_code: number;
}

const networks = (description: string) => Type.Optional(Type.Array(Type.String(), { minItems: 1, description }));

/** What can be configured of ip-restriction: fields, limits and defaults of APISIX's plugin. */
export const ipRestrictionSchema: PluginSchema = {
  name: 'ip-restriction',
  version: '0.1',
  priority: 3000,
  type: 'other',
  runsOnStreams: true,
  schema: Type.Object(
    {
      whitelist: networks('Addresses and networks (CIDR) that may pass; all others may not'),
      blacklist: networks('Addresses and networks (CIDR) that may not pass; all others may'),
      message: Type.Optional(
        Type.String({ minLength: 1, maxLength: 1024, default: 'Your IP address is not allowed', description: 'Message of the refusal' }),
      ),
      response_code: Type.Optional(Type.Integer({ minimum: 403, maximum: 404, default: 403, description: 'Status of the refusal' })),
    },
    { oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }] },
  ),
  secretFields: [],
  identityHeaders: [],
  check: ({ whitelist, blacklist }) => [
    ...checkNetworks(textList(whitelist), '/whitelist'),
    ...checkNetworks(textList(blacklist), '/blacklist'),
  ],
};
