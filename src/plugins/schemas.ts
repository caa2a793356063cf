import type { PluginSchema } from '../plugin-kit/index.ts';
import { aclSchema } from './acl/schema.ts';
import { apiBreakerSchema } from './api-breaker/schema.ts';
import { basicAuthSchema } from './basic-auth/schema.ts';
import { brotliSchema } from './brotli/schema.ts';
import { clientControlSchema } from './client-control/schema.ts';
import { consumerRestrictionSchema } from './consumer-restriction/schema.ts';
import { corsSchema } from './cors/schema.ts';
import { csrfSchema } from './csrf/schema.ts';
import { faultInjectionSchema } from './fault-injection/schema.ts';
import { fileLoggerSchema } from './file-logger/schema.ts';
import { gzipSchema } from './gzip/schema.ts';
import { hmacAuthSchema } from './hmac-auth/schema.ts';
import { httpLoggerSchema } from './http-logger/schema.ts';
import { ipRestrictionSchema } from './ip-restriction/schema.ts';
import { jwtAuthSchema } from './jwt-auth/schema.ts';
import { keyAuthSchema } from './key-auth/schema.ts';
import { limitConnSchema } from './limit-conn/schema.ts';
import { limitCountSchema } from './limit-count/schema.ts';
import { limitReqSchema } from './limit-req/schema.ts';
import { mockingSchema } from './mocking/schema.ts';
import { multiAuthSchema } from './multi-auth/schema.ts';
import { opentelemetrySchema } from './opentelemetry/schema.ts';
import { prometheusSchema } from './prometheus/schema.ts';
import { proxyRewriteSchema } from './proxy-rewrite/schema.ts';
import { realIpSchema } from './real-ip/schema.ts';
import { redirectSchema } from './redirect/schema.ts';
import { refererRestrictionSchema } from './referer-restriction/schema.ts';
import { requestIdSchema } from './request-id/schema.ts';
import { requestValidationSchema } from './request-validation/schema.ts';
import { responseRewriteSchema } from './response-rewrite/schema.ts';
import { trafficSplitSchema } from './traffic-split/schema.ts';
import { uaRestrictionSchema } from './ua-restriction/schema.ts';
import { uriBlockerSchema } from './uri-blocker/schema.ts';

/** Every plugin as the control plane knows it. No request code is loaded from here. */
export const PLUGIN_SCHEMAS: readonly PluginSchema[] = Object.freeze([
  aclSchema,
  apiBreakerSchema,
  basicAuthSchema,
  brotliSchema,
  clientControlSchema,
  consumerRestrictionSchema,
  corsSchema,
  csrfSchema,
  faultInjectionSchema,
  fileLoggerSchema,
  gzipSchema,
  hmacAuthSchema,
  httpLoggerSchema,
  ipRestrictionSchema,
  jwtAuthSchema,
  keyAuthSchema,
  limitConnSchema,
  limitCountSchema,
  limitReqSchema,
  mockingSchema,
  multiAuthSchema,
  opentelemetrySchema,
  prometheusSchema,
  proxyRewriteSchema,
  realIpSchema,
  redirectSchema,
  refererRestrictionSchema,
  requestIdSchema,
  requestValidationSchema,
  responseRewriteSchema,
  trafficSplitSchema,
  uaRestrictionSchema,
  uriBlockerSchema,
]);
