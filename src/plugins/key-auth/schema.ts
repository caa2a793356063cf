import { type PluginSchema, Type } from '../../plugin-kit/index.ts';

/** The configuration on a route or service, defaults in place. */
export interface KeyAuthConfiguration {
  readonly header: string;
  readonly query: string;
  readonly hide_credentials: boolean;
  readonly anonymous_consumer?: string;
  readonly realm: string;
}

/** What can be configured of key-auth: fields, limits and defaults of API7's plugin, except that an empty key is refused. */
export const keyAuthSchema: PluginSchema = {
  name: 'key-auth',
  version: '0.1',
  priority: 2500,
  type: 'auth',
  schema: Type.Object({
    header: Type.Optional(Type.String({ default: 'apikey', description: 'Header that carries the key; looked at first' })),
    query: Type.Optional(Type.String({ default: 'apikey', description: 'Query argument that carries the key when the header is absent' })),
    hide_credentials: Type.Optional(Type.Boolean({ default: false, description: 'Keep the key from the upstream' })),
    anonymous_consumer: Type.Optional(
      Type.String({ minLength: 1, description: 'Consumer of requests without a valid key; without it they get 401' }),
    ),
    realm: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        // Printable ASCII without the quotation mark and the backslash: it stands quoted in WWW-Authenticate (RFC 9110 §5.6.4).
        pattern: '^[\\x20-\\x21\\x23-\\x5B\\]-\\x7E]+$',
        default: 'key',
        description: 'Realm in WWW-Authenticate',
      }),
    ),
  }),
  consumerSchema: Type.Object({ key: Type.String({ minLength: 1, description: 'The API key' }) }),
  secretFields: ['key'],
  uniqueField: 'key',
  identityHeaders: ['X-Consumer-*', 'X-Credential-Identifier'],
};
