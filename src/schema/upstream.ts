import type { JsonObject } from '../lib/json.ts';
import { checkHealthChecks } from './check-health-checks.ts';
import type { Balancing, HashRule } from './effective-upstream.ts';
import { describingFields, descriptionField, freeObjectField, idField, nameField, timeoutField } from './fields.ts';
import { healthChecksField } from './health-checks.ts';
import { parseNodeHost } from './host-name.ts';
import { appendPointer, type Issue } from './issue.ts';
import { type Static, Type } from './schema-builder.ts';
import { parseServiceAddress } from './service-address.ts';
import { checkUpstreamTls, upstreamTlsField, warningsForUpstreamTls } from './upstream-tls.ts';

const nodeSchema = Type.Object({
  host: Type.String({ minLength: 1 }),
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  weight: Type.Integer({ minimum: 0, maximum: 65_535 }),
  priority: Type.Optional(Type.Integer({ default: 0 })),
});

/**
 * An upstream as it is written inside a service: fields, limits and defaults of API7's OpenAPI document. Flat, and with scalar
 * defaults only, because clients read the defaults out of it.
 */
export const upstreamSchema = Type.Object({
  name: Type.Optional(Type.String({ ...nameField, default: 'default' })),
  scheme: Type.Optional(
    Type.Unsafe<string>({ type: 'string', enum: ['http', 'https', 'grpc', 'grpcs', 'tcp', 'udp', 'tls'], default: 'http' }),
  ),
  type: Type.Optional(
    Type.Unsafe<Balancing['kind']>({ type: 'string', enum: ['roundrobin', 'chash', 'least_conn', 'ewma'], default: 'roundrobin' }),
  ),
  hash_on: Type.Optional(
    Type.Unsafe<HashRule['on']>({ type: 'string', enum: ['vars', 'header', 'cookie', 'consumer', 'vars_combinations'], default: 'vars' }),
  ),
  key: Type.Optional(Type.String({ minLength: 1 })),
  nodes: Type.Optional(Type.Array(nodeSchema)),
  service_name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  discovery_type: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['kubernetes', 'nacos', 'consul', 'dns'] })),
  discovery_args: Type.Optional(Type.Object({ metadata: Type.Optional(freeObjectField) })),
  retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  retry_timeout: Type.Optional(Type.Number({ minimum: 0, default: 0 })),
  timeout: Type.Optional(timeoutField),
  keepalive_pool: Type.Optional(
    Type.Object({
      size: Type.Optional(Type.Integer({ minimum: 1, default: 320 })),
      idle_timeout: Type.Optional(Type.Number({ minimum: 0, default: 60 })),
      requests: Type.Optional(Type.Integer({ minimum: 1, default: 1000 })),
    }),
  ),
  pass_host: Type.Optional(
    Type.Unsafe<'pass' | 'node' | 'rewrite'>({ type: 'string', enum: ['pass', 'node', 'rewrite'], default: 'pass' }),
  ),
  upstream_host: Type.Optional(Type.String({ minLength: 1, pattern: '^[0-9a-zA-Z-._\\[\\]:]+$' })),
  tls: Type.Optional(upstreamTlsField),
  client_certificate: Type.Optional(idField),
  ca_certificates: Type.Optional(Type.Array(idField)),
  tls_verify: Type.Optional(Type.Boolean()),
  checks: Type.Optional(healthChecksField),
  description: Type.Optional(descriptionField),
  ...describingFields,
});

export type UpstreamDocument = Static<typeof upstreamSchema>;

/** The parsing border for upstreams inside plugins: the plugin's schema has vouched for the shape. */
export function asUpstreamDocument(document: JsonObject): UpstreamDocument {
  return document as unknown as UpstreamDocument;
}

/** What the schema cannot say, and what gateways could not serve. Pointers are relative to the upstream. */
export function checkUpstream(upstream: UpstreamDocument): readonly Issue[] {
  const unserved = checkSupport(upstream);
  return [...unserved, ...checkUpstreamShape(upstream)];
}

/** The same of one that may be for streams. */
export function checkFurtherUpstream(upstream: UpstreamDocument): readonly Issue[] {
  return [...checkFurtherSupport(upstream), ...checkUpstreamShape(upstream)];
}

/** What the schema cannot say, whoever serves the upstream. */
export function checkUpstreamShape(upstream: UpstreamDocument): readonly Issue[] {
  return [
    ...checkTarget(upstream),
    ...checkHashing(upstream),
    ...checkRewrite(upstream),
    ...checkUpstreamTls(upstream),
    ...checkHealthChecks(upstream.checks),
  ];
}

/** No gateway keeps an idle connection for longer than this, whatever `keepalive_pool` says. */
const LONGEST_IDLE_SECONDS = 60;

/** What is stored but served in a simpler way than it asks for. */
export function warningsForUpstream(upstream: UpstreamDocument): readonly string[] {
  const warnings: string[] = [...warningsForUpstreamTls(upstream)];
  const idleSeconds = upstream.keepalive_pool?.idle_timeout ?? LONGEST_IDLE_SECONDS;
  if (idleSeconds === 0 || idleSeconds > LONGEST_IDLE_SECONDS)
    warnings.push(`keepalive_pool.idle_timeout is served as ${LONGEST_IDLE_SECONDS} seconds, the most there is`);
  return warnings;
}

/** Whether gateways of this version can send requests or streams there. What they cannot is stored, and not sent to them. */
export function isServedUpstream(upstream: UpstreamDocument): boolean {
  return checkFurtherSupport(upstream).length === 0;
}

/** A further upstream may be one of a service of type `stream`. */
function checkFurtherSupport(upstream: UpstreamDocument): readonly Issue[] {
  return isStreamScheme(upstream.scheme) ? checkDiscovery(upstream) : checkSupport(upstream);
}

/** Whether an upstream is one for streams. */
export function isStreamScheme(scheme: string | undefined): scheme is 'tcp' | 'udp' | 'tls' {
  return scheme === 'tcp' || scheme === 'udp' || scheme === 'tls';
}

/** As `warningsForUpstream`, for one that may be stored although no gateway serves it. */
export function warningsForFurtherUpstream(upstream: UpstreamDocument): readonly string[] {
  const unserved = checkFurtherSupport(upstream).map(({ message }) => `the upstream is stored, but not used: ${message}`);
  return [...unserved, ...warningsForUpstream(upstream)];
}

/** How gateways of this version speak to nodes. */
const SERVED_SCHEMES: readonly string[] = ['http', 'https', 'grpc', 'grpcs'];

/** How gateways of this version find the nodes of a service. */
const SERVED_DISCOVERY: readonly string[] = ['dns'];

function checkSupport(upstream: UpstreamDocument): readonly Issue[] {
  const issues: Issue[] = [];
  if (upstream.scheme !== undefined && !SERVED_SCHEMES.includes(upstream.scheme)) {
    issues.push({ pointer: '/scheme', message: `upstream scheme ${upstream.scheme} is not supported by this version` });
  }
  return [...issues, ...checkDiscovery(upstream)];
}

/** Nodes that somebody else is to be asked for. */
export function checkDiscovery({ discovery_type: type }: Pick<UpstreamDocument, 'discovery_type'>): readonly Issue[] {
  const issues: Issue[] = [];
  if (type !== undefined && !SERVED_DISCOVERY.includes(type))
    issues.push({ pointer: '/discovery_type', message: `service discovery by ${type} is not supported by this version` });
  return issues;
}

/** A worker takes a changed upstream in one step, some 10 µs a node: more would hold up the requests of everybody else. */
const MOST_NODES = 4096;

function checkTarget(upstream: UpstreamDocument): readonly Issue[] {
  const issues: Issue[] = [];
  if (upstream.nodes === undefined && upstream.service_name === undefined && upstream.discovery_type === undefined)
    issues.push({ pointer: '/nodes', message: 'property "nodes" is missing' });
  for (const [field, other] of [
    ['service_name', 'discovery_type'],
    ['discovery_type', 'service_name'],
  ] as const) {
    if (upstream.nodes !== undefined || upstream[field] !== undefined || upstream[other] === undefined) continue;
    issues.push({ pointer: `/${field}`, message: `property "${field}" is missing` });
  }
  const { service_name: serviceName, discovery_type: type } = upstream;
  if (type === 'dns' && serviceName !== undefined && parseServiceAddress(serviceName) === undefined)
    issues.push({ pointer: '/service_name', message: 'value must be a host name, with or without ":port"' });
  if ((upstream.nodes?.length ?? 0) > MOST_NODES) issues.push({ pointer: '/nodes', message: `maximum number of items is ${MOST_NODES}` });
  upstream.nodes?.forEach((node, index) => {
    if (parseNodeHost(node.host) !== undefined) return;
    issues.push({ pointer: `${appendPointer('/nodes', index)}/host`, message: 'value must be a host name or an IP address' });
  });
  return issues;
}

/** The variables that API7 hashes by; others are no property of a request that stays. */
const HASHED_VARIABLE =
  /^(?:uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id|arg_[0-9a-zA-Z_-]+)$/;

function checkHashing({ type, hash_on: on = 'vars', key }: UpstreamDocument): readonly Issue[] {
  if (type !== 'chash' || on === 'consumer') return [];
  if (key === undefined) return [{ pointer: '/key', message: 'property "key" is missing' }];
  if (on !== 'vars' || HASHED_VARIABLE.test(key)) return [];
  return [{ pointer: '/key', message: 'value must be a variable that requests can be hashed by, without "$"' }];
}

function checkRewrite(upstream: UpstreamDocument): readonly Issue[] {
  if (upstream.pass_host !== 'rewrite' || upstream.upstream_host !== undefined) return [];
  return [{ pointer: '/upstream_host', message: "`upstream_host` can't be empty when `pass_host` is `rewrite`" }];
}
