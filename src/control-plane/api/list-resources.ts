import { setImmediate } from 'node:timers/promises';
import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind, ResourceKindName } from '../../schema/index.ts';
import type { ResourceSelection, SelectedResources, StoreReader } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { labelFilterOf, NO_LABELS } from './label-filter.ts';
import { readListQuery } from './list-query.ts';
import type { LongLists } from './long-lists.ts';
import { presentResource } from './present-resource.ts';
import { parentIdOf } from './resource-path.ts';

/** Query parameters by which a list is narrowed to what one resource owns. */
const OWNER_PARAMETERS: ReadonlyMap<ResourceKindName, { readonly parameter: string; readonly kind: ResourceKindName }> = new Map([
  ['route', { parameter: 'service_id', kind: 'service' }],
  ['stream_route', { parameter: 'service_id', kind: 'service' }],
]);

/** So many resources are read in one step, about 2 ms; longer lists are sent while they are read, and other requests run in between. */
const RESOURCES_AT_ONCE = 100;

const NOTHING: SelectedResources = { rows: [], total: 0, next: undefined };

/** GET of a list, most recently updated first unless the query says otherwise: all of a kind, or those that the query names. */
export async function listResources(
  { store }: ApiContext,
  kind: ResourceKind,
  request: ApiRequest,
  longLists: LongLists,
): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(store, request);
  const { search, ...order } = readListQuery(request.query, kind);
  const labels = kind.isLabelled ? labelFilterOf(request.query) : NO_LABELS;
  const owner = await ownerOf(store, kind, group.id, request);
  const list = { groupId: group.id, kind: kind.name };
  const selection: ResourceSelection = {
    ...list,
    ...(owner === undefined ? {} : { owner }),
    ...(labels ?? NO_LABELS),
    ...(search === undefined ? {} : { search }),
    ...{ order: order.order, direction: order.direction },
    ...(order.part === undefined ? {} : { part: order.part }),
  };
  const selected = labels === undefined ? NOTHING : await store.selectResources(selection);
  if (selected.rows.length > RESOURCES_AT_ONCE) {
    const total = selection.part === undefined ? undefined : selected.total;
    // An answer to HEAD has no content to make.
    if (request.method === 'HEAD') return { headers: { 'content-type': 'application/json' }, body: undefined };
    const pieces = longLists.bounded(piecesOf(store, kind, list, { ...selected, total }));
    return { body: undefined, stream: { contentType: 'application/json', pieces } };
  }
  const resources = await store.resourcesAt(list, selected.rows);
  const next = selected.next === undefined ? {} : { next: selected.next };
  return { body: { list: resources.map((resource) => presentResource(kind, resource)), total: selected.total, ...next } };
}

/** GET of the list of a kind that is shown as documents: one object by id, whole. */
export async function listDocuments({ store }: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(store, request);
  const resources = await store.listResources({ groupId: group.id, kind: kind.name });
  return { body: { value: Object.fromEntries(resources.map((resource) => [resource.key.id, presentResource(kind, resource)])) } };
}

async function ownerOf(store: StoreReader, kind: ResourceKind, groupId: string, request: ApiRequest): Promise<ResourceSelection['owner']> {
  if (kind.parent !== undefined) {
    const id = parentIdOf(kind, request);
    const parent = await store.getResource({ groupId, kind: kind.parent, parentId: '', id }, { secrets: 'omit' });
    if (parent === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.parent} not found` });
    return { kind: kind.parent, id };
  }
  const owner = OWNER_PARAMETERS.get(kind.name);
  const id = owner === undefined ? null : request.query.get(owner.parameter);
  return owner === undefined || id === null ? undefined : { kind: owner.kind, id };
}

/**
 * The answer of a long list, as text. What it holds was settled when it was selected; each resource is as it is when it is read, and one
 * that was deleted meanwhile is missing. The total of a whole list is what was sent.
 */
async function* piecesOf(
  store: StoreReader,
  kind: ResourceKind,
  list: { readonly groupId: string; readonly kind: string },
  selected: { readonly rows: readonly number[]; readonly total: number | undefined; readonly next: string | undefined },
): AsyncGenerator<string, void> {
  let sent = 0;
  yield '{"list":[';
  for (let start = 0; start < selected.rows.length; start += RESOURCES_AT_ONCE) {
    const resources = await store.resourcesAt(list, selected.rows.slice(start, start + RESOURCES_AT_ONCE));
    const text = resources.map((resource) => JSON.stringify(presentResource(kind, resource))).join(',');
    if (text !== '') yield sent === 0 ? text : `,${text}`;
    sent += resources.length;
    // The store answers at once, so nothing else would run until the client's buffers are full.
    await setImmediate();
  }
  const next = selected.next === undefined ? '' : `,"next":${JSON.stringify(selected.next)}`;
  yield `],"total":${selected.total ?? sent}${next}}`;
}
