import { type Issue, issuesBelow } from './issue.ts';
import { type Static, Type } from './schema-builder.ts';
import { serviceSchema } from './service.ts';
import { checkDiscovery, checkUpstreamShape, type UpstreamDocument, upstreamSchema } from './upstream.ts';
import { warningsForUpstreamTls } from './upstream-tls.ts';

const passHostField = Type.Unsafe<'pass' | 'node' | 'rewrite'>({ type: 'string', enum: ['pass', 'node', 'rewrite'] });
const poolField = Type.Object({
  size: Type.Optional(Type.Integer({ minimum: 1 })),
  idle_timeout: Type.Optional(Type.Number({ minimum: 0 })),
  requests: Type.Optional(Type.Integer({ minimum: 1 })),
});

/** An upstream that speaks plain TCP, UDP or TLS. Fields that mean something to HTTP alone are kept, but have no defaults. */
const streamUpstreamSchema = Type.Object({
  ...upstreamSchema.properties,
  scheme: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: ['tcp', 'udp', 'tls'], default: 'tcp' })),
  pass_host: Type.Optional(passHostField),
  keepalive_pool: Type.Optional(poolField),
});

/** A service of type `stream`: API7's stream service, with other defaults than one of type `http`. */
export const streamServiceSchema = Type.Object({
  ...serviceSchema.properties,
  strip_path_prefix: Type.Optional(Type.Boolean()),
  upstream: Type.Optional(streamUpstreamSchema),
});

/** Whether a body says of itself that it is one. */
export function isStreamService(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'type') && Reflect.get(body, 'type') === 'stream';
}

export type StreamServiceDocument = Static<typeof streamServiceSchema>;

/** How clients of a service of type `stream` speak to it. */
export type StreamTransport = 'tcp' | 'udp';

/** What the schema cannot say. */
export function checkStreamService({ upstream }: StreamServiceDocument): readonly Issue[] {
  return upstream === undefined ? [] : issuesBelow('/upstream', checkUpstreamShape(upstream));
}

/** By the scheme of its upstream: TCP unless that is UDP, for TLS is between gateway and node alone. */
export function streamTransportOf({ scheme }: Pick<UpstreamDocument, 'scheme'>): StreamTransport {
  return scheme === 'udp' ? 'udp' : 'tcp';
}

/** What gateways of this version could not serve; such a service is stored, and not sent to them. */
export function unservedInStreamService({ upstream = {} }: Pick<StreamServiceDocument, 'upstream'>): readonly Issue[] {
  return issuesBelow('/upstream', checkDiscovery(upstream));
}

/** The same, for who writes one. */
export function warningsForStreamService(service: StreamServiceDocument): readonly string[] {
  const unserved = unservedInStreamService(service).map(({ message }) => `the service is stored, but not served: ${message}`);
  return [...unserved, ...warningsForUpstreamTls(service.upstream ?? {})];
}
