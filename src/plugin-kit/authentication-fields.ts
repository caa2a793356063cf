import { Type } from '../schema/index.ts';

/** Headers by which every authentication plugin tells the upstream who called (`RequestView.attachConsumer` sets them). */
export const CONSUMER_HEADERS: readonly string[] = Object.freeze(['X-Consumer-*', 'X-Credential-Identifier']);

/** The realm that stands quoted in `WWW-Authenticate` (RFC 9110 §5.6.4): printable ASCII without quotation mark and backslash, as in APISIX. */
export function realmField(defaultRealm: string) {
  return Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[\\x20-\\x21\\x23-\\x5B\\]-\\x7E]+$',
      default: defaultRealm,
      description: 'Realm in WWW-Authenticate',
    }),
  );
}

/** The user name of the consumer that stands in for clients whom an authentication plugin does not recognise. */
export const anonymousConsumerField = Type.Optional(
  Type.String({ minLength: 1, description: 'Consumer of requests without valid credentials; without it they get 401' }),
);

/** Whether the upstream is kept from seeing what the client authenticated itself with. */
export const hideCredentialsField = Type.Optional(Type.Boolean({ default: false, description: 'Keep the credentials from the upstream' }));
