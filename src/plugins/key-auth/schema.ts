import {
  anonymousConsumerField,
  CONSUMER_HEADERS,
  hideCredentialsField,
  type PluginSchema,
  realmField,
  Type,
} from '../../plugin-kit/index.ts';

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
    hide_credentials: hideCredentialsField,
    anonymous_consumer: anonymousConsumerField,
    realm: realmField('key'),
  }),
  consumerSchema: Type.Object({ key: Type.String({ minLength: 1, description: 'The API key' }) }),
  secretFields: ['key'],
  uniqueField: 'key',
  identityHeaders: CONSUMER_HEADERS,
};
