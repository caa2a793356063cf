import {
  anonymousConsumerField,
  CONSUMER_HEADERS,
  hideCredentialsField,
  isSecretReference,
  type JsonObject,
  type PluginSchema,
  realmField,
  Type,
} from '../../plugin-kit/index.ts';
import { checkCredential } from './check-credential.ts';
import type { TimeClaim } from './find-claim-problem.ts';
import { DEFAULT_JWT_ALGORITHM, JWT_ALGORITHMS } from './jwt-algorithms.ts';

/** The configuration on a route or service, defaults in place. */
export interface JwtAuthConfiguration {
  readonly header: string;
  readonly query: string;
  readonly cookie: string;
  readonly hide_credentials: boolean;
  readonly key_claim_name: string;
  readonly store_in_ctx: boolean;
  readonly claims_to_verify?: readonly TimeClaim[];
  readonly realm: string;
  readonly anonymous_consumer?: string;
}

const routeSchema = Type.Object({
  header: Type.Optional(Type.String({ default: 'authorization', description: 'Header that carries the token; looked at first' })),
  query: Type.Optional(Type.String({ default: 'jwt', description: 'Query argument that carries the token when the header is absent' })),
  cookie: Type.Optional(Type.String({ default: 'jwt', description: 'Cookie that carries the token when the others are absent' })),
  hide_credentials: hideCredentialsField,
  key_claim_name: Type.Optional(
    Type.String({ minLength: 1, default: 'key', description: 'Claim of the payload that holds the key of the credential' }),
  ),
  store_in_ctx: Type.Optional(Type.Boolean({ default: false, description: "Keep the token's payload for later plugins" })),
  claims_to_verify: Type.Optional(
    Type.Array(Type.Unsafe<TimeClaim>({ type: 'string', enum: ['exp', 'nbf'] }), {
      uniqueItems: true,
      description: 'Claims that must be there and hold, all others left aside; without it both must hold where they are there',
    }),
  ),
  realm: realmField('jwt'),
  anonymous_consumer: anonymousConsumerField,
});

const consumerSchema = Type.Object({
  key: Type.String({ minLength: 1, description: 'What tokens of this credential name in their key claim; once in a gateway group' }),
  secret: Type.Optional(Type.String({ minLength: 1, description: 'The shared secret of the algorithms HS256, HS384 and HS512' })),
  algorithm: Type.Optional(
    Type.Unsafe<string>({
      type: 'string',
      enum: [...JWT_ALGORITHMS.keys()],
      default: DEFAULT_JWT_ALGORITHM,
      description: 'The only algorithm that tokens of this credential may be signed with',
    }),
  ),
  public_key: Type.Optional(Type.String({ minLength: 1, description: 'Public key in PEM for all algorithms but HS256, HS384 and HS512' })),
  exp: Type.Optional(Type.Integer({ minimum: 1, default: 86400, description: 'Seconds; kept for clients, not used to verify' })),
  base64_secret: Type.Optional(Type.Boolean({ default: false, description: 'The secret is written in base64' })),
  lifetime_grace_period: Type.Optional(
    Type.Integer({ minimum: 0, default: 0, description: 'Seconds by which clocks may differ when exp and nbf are verified' }),
  ),
});

/** What can be configured of jwt-auth: fields, limits and defaults of APISIX's plugin. Public keys are read when they are written. */
export const jwtAuthSchema: PluginSchema = {
  name: 'jwt-auth',
  version: '0.1',
  priority: 2510,
  type: 'auth',
  schema: routeSchema,
  consumerSchema,
  secretFields: ['secret'],
  uniqueField: 'key',
  check: (configuration, { site }) => (site === 'consumer' || site === 'credential' ? checkCredential(configuration) : []),
  credentialData,
  identityHeaders: CONSUMER_HEADERS,
};

/** The key that the algorithm needs and no other. A reference that nothing has resolved is no key. */
function credentialData(configuration: JsonObject): JsonObject | undefined {
  const { algorithm = DEFAULT_JWT_ALGORITHM, secret, base64_secret = false, public_key, lifetime_grace_period = 0 } = configuration;
  const isShared = typeof algorithm === 'string' && JWT_ALGORITHMS.get(algorithm)?.kind === 'hmac';
  const key = isShared ? secret : public_key;
  if (typeof key !== 'string' || isSecretReference(key)) return undefined;
  return { algorithm, lifetime_grace_period, ...(isShared ? { secret: key, base64_secret } : { public_key: key }) };
}
