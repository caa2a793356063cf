import { consumerSchema } from './consumer.ts';
import { credentialSchema } from './credential.ts';
import { globalRuleSchema } from './global-rule.ts';
import { pluginMetadataSchema } from './plugin-metadata.ts';
import { routeSchema } from './route.ts';
import type { TSchema } from './schema-builder.ts';
import { serviceSchema } from './service.ts';
import { sslSchema } from './ssl.ts';
import { streamRouteSchema } from './stream-route.ts';
import { streamServiceSchema } from './stream-service.ts';
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

const CORE_SCHEMAS: Readonly<Record<CoreSchemaName, TSchema>> = Object.freeze({
  service: serviceSchema,
  stream_service: streamServiceSchema,
  route: routeSchema,
  stream_route: streamRouteSchema,
  upstream: upstreamSchema,
  consumer: consumerSchema,
  consumer_credential: credentialSchema,
  ssl: sslSchema,
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
