import { consumerSchema } from './consumer.ts';
import { credentialSchema } from './credential.ts';
import { timeoutField } from './fields.ts';
import { globalRuleSchema } from './global-rule.ts';
import { pluginMetadataSchema } from './plugin-metadata.ts';
import { routeSchema } from './route.ts';
import { type TSchema, Type } from './schema-builder.ts';
import { serviceSchema } from './service.ts';
import { upstreamSchema } from './upstream.ts';

/** Kinds that a client asks for in `GET /api/schema/core`; the names are API7's. */
export type CoreSchemaName =
  | 'service'
  | 'stream_service'
  | 'route'
  | 'stream_route'
  | 'upstream'
  | 'consumer'
  | 'consumer_credential'
  | 'ssl'
  | 'global_rule'
  | 'plugin_metadata';

/** Only what clients read out of it: the defaults of an upstream that speaks plain TCP, UDP or TLS. */
const streamUpstreamSchema = Type.Object({
  name: Type.Optional(Type.String({ default: 'default' })),
  type: Type.Optional(Type.String({ default: 'roundrobin' })),
  scheme: Type.Optional(Type.String({ default: 'tcp' })),
  hash_on: Type.Optional(Type.String({ default: 'vars' })),
  retry_timeout: Type.Optional(Type.Number({ default: 0 })),
  timeout: Type.Optional(timeoutField),
  nodes: Type.Optional(Type.Array(Type.Object({ priority: Type.Optional(Type.Integer({ default: 0 })) }))),
});

const anyObject = Type.Object({});

const CORE_SCHEMAS: Readonly<Record<CoreSchemaName, TSchema>> = Object.freeze({
  service: serviceSchema,
  stream_service: Type.Object({ upstream: Type.Optional(streamUpstreamSchema) }),
  route: routeSchema,
  stream_route: anyObject,
  upstream: upstreamSchema,
  consumer: consumerSchema,
  consumer_credential: credentialSchema,
  ssl: anyObject,
  global_rule: globalRuleSchema,
  plugin_metadata: pluginMetadataSchema,
});

/**
 * The value of `GET /api/schema/core`. Clients merge the defaults they find here into their own copy before they compare, so the
 * defaults are exactly those that `validateDocument` writes, and the schemas are flat: no reference, no alternative holds a default.
 */
export function coreSchemas(): Readonly<Record<CoreSchemaName, TSchema>> {
  return CORE_SCHEMAS;
}
