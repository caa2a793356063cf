import type { JsonObject } from '../../lib/json.ts';
import type { ResourceKind, ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';
import { gatewayGroupName, gatewayTarget, isAllowedForAll, needsFacts, type Target } from '../access/index.ts';
import { type Action, type ApiRequest, forbidden } from '../http/index.ts';
import { type FactReader, factsOfResource } from './permission-facts.ts';

/** What can be done to a resource. `create` is what POST does; PUT and PATCH need `write`, also where nothing is there yet. */
export type Verb = 'read' | 'create' | 'write' | 'delete' | 'read history' | 'revert' | 'revive';

type Writing = 'Create' | 'Update' | 'Put';

/** What API7's policies call a kind, and writing it. Routes and upstreams are part of their service. */
const PERMISSIONS: Readonly<Record<ResourceKindName, { readonly noun: string; readonly create: Writing; readonly write: Writing }>> = {
  service: { noun: 'PublishedService', create: 'Create', write: 'Update' },
  upstream: { noun: 'PublishedService', create: 'Update', write: 'Update' },
  route: { noun: 'PublishedService', create: 'Update', write: 'Update' },
  stream_route: { noun: 'PublishedService', create: 'Update', write: 'Update' },
  consumer: { noun: 'Consumer', create: 'Create', write: 'Update' },
  credential: { noun: 'ConsumerCredential', create: 'Create', write: 'Update' },
  ssl: { noun: 'Certificate', create: 'Create', write: 'Update' },
  certificate: { noun: 'Certificate', create: 'Create', write: 'Update' },
  ca_certificate: { noun: 'Certificate', create: 'Create', write: 'Update' },
  sni: { noun: 'SNI', create: 'Create', write: 'Update' },
  global_rule: { noun: 'GlobalPluginRule', create: 'Create', write: 'Update' },
  plugin_metadata: { noun: 'PluginMetadata', create: 'Update', write: 'Update' },
  proto: { noun: 'Proto', create: 'Create', write: 'Update' },
  secret_provider: { noun: 'SecretProvider', create: 'Put', write: 'Put' },
  gateway_group: { noun: 'GatewayGroup', create: 'Create', write: 'Update' },
};

/** The action that a policy must allow. Whoever removes a route or upstream changes its service, as in API7. */
export function actionOn(kind: ResourceKindName, verb: Verb): Action {
  const { noun, create, write } = PERMISSIONS[kind];
  switch (verb) {
    case 'read':
      return `gateway:Get${noun}`;
    case 'create':
      return `gateway:${create}${noun}`;
    case 'write':
      return `gateway:${write}${noun}`;
    case 'read history':
      return `gateway:Get${noun}History`;
    case 'revert':
      return `gateway:Revert${noun}`;
    case 'revive':
      return `gateway:Revive${noun}`;
    case 'delete':
      return isPartOfService(kind) ? `gateway:${write}${noun}` : `gateway:Delete${noun}`;
  }
}

/** The pattern of everything of a kind in a group. */
export function allOfKind(kind: ResourceKindName, groupId: string): string {
  // Older policies name consumers by their group: both spellings begin so.
  return kind === 'service' || isPartOfService(kind) ? `${gatewayGroupName(groupId)}/publishedservice/*` : `${gatewayGroupName(groupId)}*`;
}

/** @throws PortcullisError 403 for a caller who may do this to nothing of the kind in the group */
export function permitKind(request: ApiRequest, kind: ResourceKind, verb: Verb, groupId: string): void {
  request.permitSome(actionOn(kind.name, verb), allOfKind(kind.name, groupId));
}

/** Whether the caller may do this to everything of the kind in the group, so that nothing needs to be looked at one by one. */
export function isFree({ caller }: ApiRequest, kind: ResourceKindName, verb: Verb, groupId: string): boolean {
  return caller !== undefined && isAllowedForAll(caller.access, actionOn(kind, verb), allOfKind(kind, groupId));
}

/**
 * For what looks at the past or brings it back: a resource may have belonged to another service then, and have had other labels, so the
 * caller must be allowed this for everything of the kind in the group, without conditions.
 *
 * @throws PortcullisError 403
 */
export function permitWholeKind(request: ApiRequest, kind: ResourceKind, verb: Verb, groupId: string): void {
  permitKind(request, kind, verb, groupId);
  if (!isFree(request, kind.name, verb, groupId)) throw forbidden(actionOn(kind.name, verb));
}

/** @throws PortcullisError 403 unless the caller may do this to the resource with this document */
export async function permitResource(
  store: FactReader,
  request: ApiRequest,
  verb: Verb,
  key: ResourceKey,
  document: JsonObject,
): Promise<void> {
  request.permit(actionOn(kindOf(key), verb), await targetOf(store, request, verb, key, document));
}

/** Whether the caller may do this to the resource with this document. */
export async function mayDoToResource(
  store: FactReader,
  request: ApiRequest,
  verb: Verb,
  key: ResourceKey,
  document: JsonObject,
): Promise<boolean> {
  return request.mayDo(actionOn(kindOf(key), verb), await targetOf(store, request, verb, key, document));
}

/** What permissions see of a resource: its resource names, and the facts that conditions ask for, where the caller's policies have such. */
async function targetOf(store: FactReader, request: ApiRequest, verb: Verb, key: ResourceKey, document: JsonObject): Promise<Target> {
  const kind = kindOf(key);
  const { groupId } = key;
  const id = ownIdOf(kind, key, document);
  const wantsFacts = request.caller !== undefined && needsFacts(request.caller.access, actionOn(kind, verb));
  const facts = wantsFacts ? await factsOfResource(store, kind, groupId, id, document.labels) : new Map();
  return gatewayTarget(groupId, PERMISSIONS[kind].noun, id, facts);
}

function kindOf(key: ResourceKey): ResourceKindName {
  // One of ours: only those have routes.
  return key.kind as ResourceKindName;
}

function isPartOfService(kind: ResourceKindName): boolean {
  return kind === 'upstream' || kind === 'route' || kind === 'stream_route';
}

/** The service of a route or upstream, the consumer of a credential, otherwise the resource itself. */
function ownIdOf(kind: ResourceKindName, key: ResourceKey, document: JsonObject): string {
  if (kind === 'credential' || kind === 'upstream') return key.parentId;
  if (!isPartOfService(kind)) return key.id;
  return typeof document.service_id === 'string' ? document.service_id : '';
}
