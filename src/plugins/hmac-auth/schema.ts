import {
  anonymousConsumerField,
  CONSUMER_HEADERS,
  hideCredentialsField,
  isSecretReference,
  type PluginSchema,
  realmField,
  Type,
} from '../../plugin-kit/index.ts';
import { HMAC_ALGORITHMS, type HmacAlgorithm } from './hmac-algorithms.ts';

/** The configuration on a route or service, defaults in place. */
export interface HmacAuthConfiguration {
  readonly allowed_algorithms: readonly HmacAlgorithm[];
  readonly clock_skew: number;
  readonly signed_headers: readonly string[];
  readonly validate_request_body: boolean;
  readonly max_req_body_size: number;
  readonly hide_credentials: boolean;
  readonly realm: string;
  readonly anonymous_consumer?: string;
}

const algorithms = [...HMAC_ALGORITHMS.keys()];

/** What can be configured of hmac-auth: fields, limits and defaults of APISIX's plugin. */
export const hmacAuthSchema: PluginSchema = {
  name: 'hmac-auth',
  version: '0.1',
  priority: 2530,
  type: 'auth',
  schema: Type.Object({
    allowed_algorithms: Type.Optional(
      Type.Array(Type.Unsafe<HmacAlgorithm>({ type: 'string', enum: algorithms }), {
        minItems: 1,
        default: algorithms,
        description: 'Algorithms that clients may sign with',
      }),
    ),
    clock_skew: Type.Optional(
      Type.Integer({ minimum: 1, default: 300, description: "Seconds by which the client's Date may differ from the gateway's time" }),
    ),
    signed_headers: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 50 }), {
        default: ['date'],
        description: 'What every client must sign at least, spelled as clients must spell it; @request-target is method, path and query',
      }),
    ),
    validate_request_body: Type.Optional(
      Type.Boolean({ default: false, description: 'Compare the body with the header Digest; sign that too (signed_headers)' }),
    ),
    max_req_body_size: Type.Optional(
      Type.Integer({ minimum: 1, default: 67_108_864, description: 'Bytes of a body that is compared; a larger one gets 413' }),
    ),
    hide_credentials: hideCredentialsField,
    realm: realmField('hmac'),
    anonymous_consumer: anonymousConsumerField,
  }),
  consumerSchema: Type.Object({
    key_id: Type.String({ minLength: 1, maxLength: 256, description: 'What the client names as keyId; once in a gateway group' }),
    secret_key: Type.String({ minLength: 1, maxLength: 256, description: 'The secret that the client signs with and never sends' }),
  }),
  secretFields: ['secret_key'],
  uniqueField: 'key_id',
  credentialData: ({ secret_key }) => (typeof secret_key === 'string' && !isSecretReference(secret_key) ? { secret_key } : undefined),
  identityHeaders: CONSUMER_HEADERS,
};
