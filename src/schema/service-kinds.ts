import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { Validation } from './compile-validator.ts';
import { isJsonObject } from './copy-document.ts';
import { idField } from './fields.ts';
import { defineResourceKind, type ResourceKind, type ResourceReference } from './resource-kind.ts';
import { checkRoute, routeSchema, warningsForRoute } from './route.ts';
import { checkService, serviceSchema, warningsForService } from './service.ts';
import { checkStreamRoute, streamRouteSchema } from './stream-route.ts';
import { checkStreamService, isStreamService, streamServiceSchema, warningsForStreamService } from './stream-service.ts';
import { checkUpstreamShape, upstreamSchema, warningsForFurtherUpstream } from './upstream.ts';
import { secretPointersOfUpstream, withoutUpstreamKey } from './upstream-tls.ts';

const SERVICE = {
  name: 'service',
  collection: 'services',
  parent: undefined,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id', 'service_id'],
  pluginSite: 'service',
  isSortedByName: true,
  references: (document: JsonObject) => (isJsonObject(document.upstream) ? referencesOfUpstream(document.upstream) : []),
  secretPointers: (document: JsonObject) =>
    isJsonObject(document.upstream) ? secretPointersOfUpstream(document.upstream).map((pointer) => `/upstream${pointer}`) : [],
  // Clients read `type` to know which kind of routes to ask for, but must not find it among the stored defaults.
  present: (document: JsonObject, id: string) => ({ type: 'http', ...withoutKeyOfService(document), id }),
} as const;

const httpService = defineResourceKind({ ...SERVICE, schema: serviceSchema, check: checkService, warnings: warningsForService });
const streamService = defineResourceKind({
  ...SERVICE,
  schema: streamServiceSchema,
  check: checkStreamService,
  warnings: warningsForStreamService,
});

/** A service; its `type` decides which schema, checks and defaults hold. */
export const service: ResourceKind = Object.freeze({
  ...httpService,
  validate: (body: unknown, id?: string): Validation<JsonObject> => serviceOf(body).validate(body, id),
  warnings: (document: JsonObject, nowMs?: number) => serviceOf(document).warnings(document, nowMs),
});

function serviceOf(body: unknown): ResourceKind {
  return isStreamService(body) ? streamService : httpService;
}

/** An upstream of a service beside the one that is written inside it. */
export const upstream = defineResourceKind({
  name: 'upstream',
  collection: 'upstreams',
  parent: 'service',
  schema: upstreamSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id'],
  pluginSite: undefined,
  check: checkUpstreamShape,
  warnings: warningsForFurtherUpstream,
  owner: (_document, parentId) => ({ kind: 'service', id: parentId }),
  secretPointers: secretPointersOfUpstream,
  references: referencesOfUpstream,
  present: (document, id) => ({ ...withoutUpstreamKey(document), id }),
});

export const route = defineResourceKind({
  name: 'route',
  collection: 'routes',
  parent: undefined,
  schema: routeSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id', 'route_id'],
  pluginSite: 'route',
  check: checkRoute,
  warnings: warningsForRoute,
  owner: serviceOfRoute,
  present: (document, id) => ({ ...document, id }),
});

export const streamRoute = defineResourceKind({
  name: 'stream_route',
  collection: 'stream_routes',
  parent: undefined,
  schema: streamRouteSchema,
  idSchema: idField,
  idField: 'id',
  bodyIdFields: ['id', 'stream_route_id'],
  pluginSite: 'stream_route',
  check: checkStreamRoute,
  owner: serviceOfRoute,
  present: (document, id) => ({ ...document, id }),
});

function withoutKeyOfService(document: JsonObject): JsonObject {
  return isJsonObject(document.upstream) ? { ...document, upstream: withoutUpstreamKey(document.upstream) } : document;
}

function serviceOfRoute(document: JsonObject): ResourceReference | undefined {
  const serviceId = textOf(document.service_id);
  return serviceId === undefined ? undefined : { kind: 'service', id: serviceId };
}

function referencesOfUpstream({ client_certificate: own, ca_certificates: authorities, tls }: JsonObject): readonly ResourceReference[] {
  const ownId = textOf(own);
  const sslId = isJsonObject(tls) ? textOf(tls.client_cert_id) : undefined;
  const authorityIds = Array.isArray(authorities) ? authorities.flatMap((id) => textOf(id) ?? []) : [];
  return [
    ...(ownId === undefined ? [] : [{ kind: 'certificate' as const, id: ownId }]),
    ...(sslId === undefined ? [] : [{ kind: 'ssl' as const, id: sslId }]),
    ...authorityIds.map((id) => ({ kind: 'ca_certificate' as const, id })),
  ];
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
