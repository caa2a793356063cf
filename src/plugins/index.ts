import type { AnyPlugin } from '../plugin-kit/index.ts';
import { acl } from './acl/plugin.ts';
import { apiBreaker } from './api-breaker/plugin.ts';
import { basicAuth } from './basic-auth/plugin.ts';
import { brotli } from './brotli/plugin.ts';
import { clientControl } from './client-control/plugin.ts';
import { consumerRestriction } from './consumer-restriction/plugin.ts';
import { cors } from './cors/plugin.ts';
import { csrf } from './csrf/plugin.ts';
import { faultInjection } from './fault-injection/plugin.ts';
import { fileLogger } from './file-logger/plugin.ts';
import { gzip } from './gzip/plugin.ts';
import { hmacAuth } from './hmac-auth/plugin.ts';
import { httpLogger } from './http-logger/plugin.ts';
import { ipRestriction } from './ip-restriction/plugin.ts';
import { jwtAuth } from './jwt-auth/plugin.ts';
import { keyAuth } from './key-auth/plugin.ts';
import { limitConn } from './limit-conn/plugin.ts';
import { limitCount } from './limit-count/plugin.ts';
import { limitReq } from './limit-req/plugin.ts';
import { mocking } from './mocking/plugin.ts';
import { multiAuth } from './multi-auth/plugin.ts';
import { opentelemetry } from './opentelemetry/plugin.ts';
import { prometheus } from './prometheus/plugin.ts';
import { proxyRewrite } from './proxy-rewrite/plugin.ts';
import { realIp } from './real-ip/plugin.ts';
import { redirect } from './redirect/plugin.ts';
import { refererRestriction } from './referer-restriction/plugin.ts';
import { requestId } from './request-id/plugin.ts';
import { requestValidation } from './request-validation/plugin.ts';
import { responseRewrite } from './response-rewrite/plugin.ts';
import { trafficSplit } from './traffic-split/plugin.ts';
import { uaRestriction } from './ua-restriction/plugin.ts';
import { uriBlocker } from './uri-blocker/plugin.ts';

/** Every plugin with its code, as the gateway runs it. */
export const PLUGINS: readonly AnyPlugin[] = Object.freeze([
  acl,
  apiBreaker,
  basicAuth,
  brotli,
  clientControl,
  consumerRestriction,
  cors,
  csrf,
  faultInjection,
  fileLogger,
  gzip,
  hmacAuth,
  httpLogger,
  ipRestriction,
  jwtAuth,
  keyAuth,
  limitConn,
  limitCount,
  limitReq,
  mocking,
  multiAuth,
  opentelemetry,
  prometheus,
  proxyRewrite,
  realIp,
  redirect,
  refererRestriction,
  requestId,
  requestValidation,
  responseRewrite,
  trafficSplit,
  uaRestriction,
  uriBlocker,
]);
