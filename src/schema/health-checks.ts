import { type Static, Type } from './schema-builder.ts';

const PROBE_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** A method by which nodes may be asked. */
export type ProbeMethod = (typeof PROBE_METHODS)[number];

/*
 * No defaults here on purpose: clients take a default of this object over into their own copy, but what is stored has only the
 * fields that were written. The health checker applies its defaults when it reads the configuration.
 */
const probeKind = Type.Optional(Type.Unsafe<'http' | 'https' | 'tcp'>({ type: 'string', enum: ['http', 'https', 'tcp'] }));
const count = Type.Optional(Type.Integer({ minimum: 0, maximum: 254 }));
const statuses = Type.Optional(Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), { minItems: 1, uniqueItems: true }));
const interval = Type.Optional(Type.Integer({ minimum: 1 }));

const healthy = { http_statuses: statuses, successes: count };
const unhealthy = { http_statuses: statuses, http_failures: count, tcp_failures: count, timeouts: count };

/**
 * `checks` of an upstream: active probing, and passive watching beside it. API7's OpenAPI document, upstream, health checks, with APISIX's
 * `http_method` and `http_req_body`.
 */
export const healthChecksField = Type.Object({
  active: Type.Optional(
    Type.Object({
      type: probeKind,
      timeout: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
      concurrency: Type.Optional(Type.Integer({ minimum: 1 })),
      host: Type.Optional(Type.String({ minLength: 1 })),
      port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
      http_path: Type.Optional(Type.String({ minLength: 1 })),
      http_method: Type.Optional(Type.Unsafe<ProbeMethod>({ type: 'string', enum: PROBE_METHODS })),
      http_req_body: Type.Optional(Type.String({ maxLength: 65_536 })),
      https_verify_certificate: Type.Optional(Type.Boolean()),
      req_headers: Type.Optional(Type.Array(Type.String())),
      healthy: Type.Optional(Type.Object({ interval, ...healthy })),
      unhealthy: Type.Optional(Type.Object({ interval, ...unhealthy })),
    }),
  ),
  passive: Type.Optional(
    Type.Object({ type: probeKind, healthy: Type.Optional(Type.Object(healthy)), unhealthy: Type.Optional(Type.Object(unhealthy)) }),
  ),
});

/** Checks as they are written. */
export type HealthChecksDocument = Static<typeof healthChecksField>;
