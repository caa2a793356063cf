import {
  anonymousConsumerField,
  CONSUMER_HEADERS,
  hideCredentialsField,
  isSecretReference,
  type PluginSchema,
  realmField,
  Type,
} from '../../plugin-kit/index.ts';

/** The configuration on a route or service, defaults in place. */
export interface BasicAuthConfiguration {
  readonly hide_credentials: boolean;
  readonly anonymous_consumer?: string;
  readonly realm: string;
}

/**
 * What can be configured of basic-auth: fields, limits and defaults of APISIX's plugin, except that an empty user name and an empty
 * password are refused. Gateways learn a password's digest only.
 */
export const basicAuthSchema: PluginSchema = {
  name: 'basic-auth',
  version: '0.1',
  priority: 2520,
  type: 'auth',
  schema: Type.Object({
    hide_credentials: hideCredentialsField,
    anonymous_consumer: anonymousConsumerField,
    realm: realmField('basic'),
  }),
  consumerSchema: Type.Object({
    username: Type.String({ minLength: 1, description: 'The user name that the client sends; once in a gateway group' }),
    password: Type.String({ minLength: 1, description: 'The password; one with white space or a colon never matches' }),
  }),
  secretFields: ['password'],
  uniqueField: 'username',
  credentialData: ({ password }, digestOf) =>
    typeof password === 'string' && !isSecretReference(password) ? { password_digest: digestOf(password) } : undefined,
  identityHeaders: CONSUMER_HEADERS,
};
