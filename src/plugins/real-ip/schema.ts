import { checkNetworks, type PluginSchema, Type, textList } from '../../plugin-kit/index.ts';

/** The configuration, defaults in place. */
export interface RealIpConfiguration {
  readonly source: string;
  readonly trusted_addresses?: readonly string[];
  readonly recursive: boolean;
}

/** What can be configured of real-ip: fields, limits and defaults of APISIX's plugin. */
export const realIpSchema: PluginSchema = {
  name: 'real-ip',
  version: '0.1',
  priority: 23_000,
  type: 'other',
  schema: Type.Object({
    source: Type.String({
      minLength: 1,
      description: 'Variable that holds the address of the client, e.g. `http_x_real_ip` or `http_x_forwarded_for`',
    }),
    trusted_addresses: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        description: 'Addresses and networks (CIDR) of which it is believed; without them, of all',
      }),
    ),
    recursive: Type.Optional(
      Type.Boolean({ default: false, description: 'Of `http_x_forwarded_for` take the last address that is not trusted' }),
    ),
  }),
  secretFields: [],
  identityHeaders: [],
  check: ({ trusted_addresses: addresses }) => checkNetworks(textList(addresses), '/trusted_addresses'),
};
