import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject, type ResourceKind, type ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey, StoreReader } from '../../store/index.ts';
import { gatewayGroupName, gatewayTarget, needsFacts, type Target } from '../access/index.ts';
import type { Action, ApiRequest } from '../http/index.ts';

/** What can be done to a resource. */
export type Verb = 'read' | 'write' | 'delete';

/** What API7's policies call a kind, and writing it. Routes are part of their service. */
const PERMISSIONS: Readonly<Record<ResourceKindName, { readonly noun: string; readonly write: 'Update' | 'Put' }>> = {
  service: { noun: 'PublishedService', write: 'Update' },
  route: { noun: 'PublishedService', write: 'Update' },
  consumer: { noun: 'Consumer', write: 'Update' },
  credential: { noun: 'ConsumerCredential', write: 'Update' },
  global_rule: { noun: 'GlobalPluginRule', write: 'Update' },
  plugin_metadata: { noun: 'PluginMetadata', write: 'Update' },
  secret_provider: { noun: 'SecretProvider', write: 'Put' },
};

/** The action that a policy must allow. Whoever removes a route changes its service, as in API7. */
export function actionOn(kind: ResourceKindName, verb: Verb): Action {
  const { noun, write } = PERMISSIONS[kind];
  if (verb === 'read') return `gateway:Get${noun}`;
  return verb === 'write' || kind === 'route' ? `gateway:${write}${noun}` : `gateway:Delete${noun}`;
}

/** The pattern of everything of a kind in a group. */
export function allOfKind(kind: ResourceKindName, groupId: string): string {
  switch (kind) {
    case 'service':
    case 'route':
      return `${gatewayGroupName(groupId)}/publishedservice/*`;
    default:
      // Older policies name consumers by their group: both spellings begin so.
      return `${gatewayGroupName(groupId)}*`;
  }
}

/** @throws PortcullisError 403 for a caller who may do this to nothing of the kind in the group */
export function permitKind(request: ApiRequest, kind: ResourceKind, verb: Verb, groupId: string): void {
  request.permitSome(actionOn(kind.name, verb), allOfKind(kind.name, groupId));
}

type ResourceReader = Pick<StoreReader, 'getResource'>;

/**
 * What permissions see of a resource with this document: its resource names, and the labels that conditions may ask for, where the
 * caller's policies have such conditions.
 */
async function targetOf(store: ResourceReader, request: ApiRequest, verb: Verb, key: ResourceKey, document: JsonObject): Promise<Target> {
  // The kind is one of ours: only those have routes.
  const kind = key.kind as ResourceKindName;
  const action = actionOn(kind, verb);
  const wantsFacts = request.caller !== undefined && needsFacts(request.caller.access, action);
  const { noun } = PERMISSIONS[kind];
  const id = ownIdOf(kind, key, document);
  const labels = wantsFacts ? await labelsOf(store, kind, key, id, document) : undefined;
  return gatewayTarget(key.groupId, noun, id, new Map(labels === undefined ? [] : [labels]));
}

/** @throws PortcullisError 403 unless the caller may do this to the resource with this document */
export async function permitResource(
  store: ResourceReader,
  request: ApiRequest,
  verb: Verb,
  key: ResourceKey,
  document: JsonObject,
): Promise<void> {
  request.permit(actionOn(key.kind as ResourceKindName, verb), await targetOf(store, request, verb, key, document));
}

/** Whether the caller may do this to the resource with this document. */
export async function mayDoToResource(
  store: ResourceReader,
  request: ApiRequest,
  verb: Verb,
  key: ResourceKey,
  document: JsonObject,
): Promise<boolean> {
  return request.mayDo(actionOn(key.kind as ResourceKindName, verb), await targetOf(store, request, verb, key, document));
}

/** The service of a route, the consumer of a credential, otherwise the resource itself. */
function ownIdOf(kind: ResourceKindName, key: ResourceKey, document: JsonObject): string {
  if (kind === 'credential') return key.parentId;
  if (kind !== 'route') return key.id;
  return typeof document.service_id === 'string' ? document.service_id : '';
}

async function labelsOf(
  store: ResourceReader,
  kind: ResourceKindName,
  key: ResourceKey,
  id: string,
  document: JsonObject,
): Promise<readonly [string, ReadonlyMap<string, string>] | undefined> {
  switch (kind) {
    case 'service':
      return ['service_label', labelMap(document.labels)];
    case 'route':
      return ['service_label', await labelsOfStored(store, { groupId: key.groupId, kind: 'service', parentId: '', id })];
    case 'consumer':
      return ['consumer_label', labelMap(document.labels)];
    case 'credential':
      return ['consumer_label', await labelsOfStored(store, { groupId: key.groupId, kind: 'consumer', parentId: '', id })];
    default:
      return undefined;
  }
}

async function labelsOfStored(store: ResourceReader, key: ResourceKey): Promise<ReadonlyMap<string, string>> {
  return labelMap((await store.getResource(key, { secrets: 'omit' }))?.document.labels);
}

function labelMap(labels: JsonValue | undefined): ReadonlyMap<string, string> {
  const entries = labels !== undefined && isJsonObject(labels) ? Object.entries(labels) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
