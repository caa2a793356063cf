import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { formatIssues, type Issue, isJsonObject, type ResourceKind, resourceKind } from '../../schema/index.ts';
import type { ResourceKey, StoredResource } from '../../store/index.ts';
import { type ApiAnswer, type ApiRequest, isTrial } from '../http/index.ts';
import { readPatch } from '../patch/index.ts';
import type { ApiContext } from './api-context.ts';
import { createResource } from './create-resource.ts';
import { deleteResource } from './delete-resource.ts';
import { TRIED } from './dry-run.ts';
import { type ExaminationContext, type ExaminedDocument, examineDocument } from './examine-document.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { listAnswer } from './paging.ts';
import { patchedDocument, patchResource } from './patch-resource.ts';
import { factsOfGroup } from './plugin-facts.ts';
import { checkWritePreconditions, isNotModified } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { putResource } from './put-resource.ts';
import { getResource, listVisible, readVisible } from './read-resource.ts';
import type { ResourceOperations } from './resource-operations.ts';
import { parentIdOf } from './resource-path.ts';
import { permitKind } from './resource-permissions.ts';
import { writeResource } from './write-resource.ts';

const SERVICE = resourceKind('service');

/**
 * The upstreams of a service: the one written inside it, which has the service's id here, as in API7, and the further ones. What is done to
 * the first is done to the service, whose tag and history it shares.
 */
export const SERVICE_UPSTREAM_OPERATIONS: ResourceOperations = {
  list: listUpstreams,
  create: async (context, kind, request) => {
    const body = request.body();
    if (!isJsonObject(body) || body.id !== request.parameters.get('parent')) return createResource(context, kind, request);
    throw new PortcullisError('admin_conflict', { publicMessage: 'an upstream with the id of its service is the one inside the service' });
  },
  get: async (context, kind, request) => (isInner(request) ? getInner(context, request) : getResource(context, kind, request)),
  put: async (context, kind, request) => {
    if (!isInner(request)) return putResource(context, kind, request);
    const body = request.body();
    return writeInner(context, request, () => body);
  },
  patch: async (context, kind, request) => {
    if (!isInner(request)) return patchResource(context, kind, request);
    const patch = readPatch(request.body(), request.header('content-type'));
    return writeInner(context, request, (service) => patchedDocument(context, kind, innerOf(service), patch));
  },
  remove: async (context, kind, request) => {
    if (!isInner(request)) return deleteResource(context, kind, request);
    const { headers = {} } = await writeInner(context, request, (service) => {
      innerOf(service);
      return undefined;
    });
    return { headers, body: isTrial(request.query) ? TRIED : {} };
  },
};

function isInner({ parameters }: ApiRequest): boolean {
  return parameters.get('id') === parameters.get('parent');
}

async function listUpstreams(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const service = await requireService(context, request);
  const { groupId, id: parentId } = service.key;
  // Upstreams count as part of their service, so that whoever may see it may see them all.
  const further = await listVisible(context.store, request, { groupId, kind: kind.name, parentId });
  const inner = isJsonObject(service.document.upstream) ? [innerOf(service)] : [];
  // The one inside the service comes before what was written within the same second.
  return listAnswer([...further.toReversed(), ...inner], request.query, {
    present: (upstream) => presentResource(kind, upstream),
    texts: ({ key, document }) => [key.id, document.name, document.desc].filter((text) => typeof text === 'string'),
    labels: ({ document }) => document.labels,
    createdAt: ({ createdAt }) => createdAt,
    updatedAt: ({ updatedAt }) => updatedAt,
  });
}

async function getInner(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const inner = innerOf(await requireService(context, request));
  const headers = { etag: entityTag(inner.revision) };
  if (isNotModified(request, inner.revision)) return { status: 304, headers, body: undefined };
  return { headers, body: { value: presentResource(resourceKind('upstream'), inner) } };
}

async function requireService(context: ApiContext, request: ApiRequest): Promise<StoredResource> {
  const key = await serviceKeyOf(context, request);
  permitKind(request, SERVICE, 'read', key.groupId);
  return readVisible(context.store, SERVICE, request, key);
}

async function serviceKeyOf(context: ApiContext, request: ApiRequest): Promise<ResourceKey> {
  const group = await gatewayGroupOf(context.store, request);
  return { groupId: group.id, kind: SERVICE.name, parentId: '', id: parentIdOf(resourceKind('upstream'), request) };
}

/** The upstream inside a service as a resource of its own. @throws PortcullisError 404 */
function innerOf(service: StoredResource): StoredResource {
  const { upstream } = service.document;
  if (!isJsonObject(upstream)) throw notFound('upstream');
  return { ...service, key: { ...service.key, kind: 'upstream', parentId: service.key.id }, document: upstream, unique: [] };
}

/** Replaces the upstream inside a service by what `change` makes of the service; undefined takes it away. */
async function writeInner(
  context: ApiContext,
  request: ApiRequest,
  change: (service: StoredResource) => JsonValue | undefined,
): Promise<ApiAnswer> {
  const key = await serviceKeyOf(context, request);
  permitKind(request, SERVICE, 'write', key.groupId);
  const facts = await factsOfGroup(context, key.groupId);
  return writeResource({
    context,
    request,
    kind: SERVICE,
    key,
    mode: 'patch',
    examine: (service) => {
      if (service === undefined) throw notFound('service');
      checkWritePreconditions(request, service.revision);
      return examineInner({ ...context, facts }, service, change(service));
    },
    present: (stored) => (isJsonObject(stored.document.upstream) ? presentResource(resourceKind('upstream'), innerOf(stored)) : {}),
  });
}

/** The service with another upstream, examined as a whole. Faults are told as the writer sees the upstream. */
function examineInner(context: ExaminationContext, service: StoredResource, upstream: JsonValue | undefined): ExaminedDocument {
  const { upstream: _former, ...rest } = service.document;
  const body: JsonObject = upstream === undefined ? rest : { ...rest, upstream: withoutServerFields(upstream, service.key.id) };
  const examination = examineDocument(SERVICE, body, service.key.id, context);
  if (examination.ok) return examination.examined;
  throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(examination.issues.map(seenFromUpstream)) });
}

function seenFromUpstream({ pointer, message }: Issue): Issue {
  return { pointer: pointer.startsWith('/upstream') ? pointer.slice('/upstream'.length) : pointer, message };
}

/** Inside a service an upstream has no id, and no times of its own. */
function withoutServerFields(upstream: JsonValue, id: string): JsonValue {
  if (!isJsonObject(upstream)) return upstream;
  const { id: own, created_at, updated_at, ...rest } = upstream;
  if (own === undefined || own === id) return rest;
  throw new PortcullisError('admin_invalid', { publicMessage: formatIssues([{ pointer: '/id', message: 'wrong upstream id' }]) });
}

function notFound(kind: string): PortcullisError {
  return new PortcullisError('admin_not_found', { publicMessage: `${kind} not found` });
}
