import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject, type ResourceKindName, resourceKind } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';
import type { ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { mayReadGroup, permitGroupId } from './gateway-group-permissions.ts';
import { readGatewayGroup } from './gateway-group-record.ts';
import { rememberingReader } from './permission-facts.ts';
import { actionOn, isFree, mayDoToResource, permitKind } from './resource-permissions.ts';

/** Kinds of a group whose labels can be asked for. */
export const LABELLED_KINDS: readonly ResourceKindName[] = ['service', 'route', 'consumer', 'ssl'];
const PAGE_ROWS = 500;
/** Values that an answer holds at most: a label like `custom_id` has another one on each of a million consumers. */
const MAX_VALUES = 10_000;

/** `GET /api/labels/<kind>`: the labels that resources of a group have, or groups themselves, each with its values: what lists can be narrowed by. Of what the caller may not see nothing is told. */
export function labelRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/labels/gateway_group',
      permission: actionOn('gateway_group', 'read'),
      resource: { kind: 'handler' },
      groupScoped: true,
      handle: async (request) => ({ body: { value: await labelsOfGroups(context, request) } }),
    },
    ...LABELLED_KINDS.map(
      (kind): ApiRoute => ({
        method: 'GET',
        path: `/api/labels/${kind}`,
        permission: actionOn(kind, 'read'),
        resource: { kind: 'handler' },
        groupScoped: true,
        handle: async (request) => ({ body: { value: await labelsOfKind(context, request, kind) } }),
      }),
    ),
  ];
}

async function labelsOfGroups({ store }: ApiContext, request: ApiRequest): Promise<JsonObject> {
  permitGroupId(request, 'read', '*');
  const found = new FoundLabels();
  for (const group of await store.listGroups()) {
    const record = await readGatewayGroup(store, group);
    if (mayReadGroup(request, record)) found.add(record.resource.document.labels);
  }
  return found.toJson();
}

async function labelsOfKind({ store }: ApiContext, request: ApiRequest, kind: ResourceKindName): Promise<JsonObject> {
  const group = await gatewayGroupOf(store, request);
  permitKind(request, resourceKind(kind), 'read', group.id);
  const seesAll = isFree(request, kind, 'read', group.id);
  const facts = rememberingReader(store);
  const found = new FoundLabels();
  let after: ResourceKey | undefined = { groupId: group.id, kind, parentId: '', id: '' };
  // Page by page, so that other requests are served between the pages of a large group.
  while (after !== undefined && !found.isFull) {
    const page = await store.pageOfResources(group.id, after, PAGE_ROWS);
    const ofKind = page.filter(({ key }) => key.kind === kind);
    for (const { key, document } of ofKind) {
      if (seesAll || (await mayDoToResource(facts, request, 'read', key, document))) found.add(document.labels);
    }
    after = ofKind.length < PAGE_ROWS ? undefined : ofKind.at(-1)?.key;
  }
  return found.toJson();
}

class FoundLabels {
  readonly #values = new Map<string, Set<string>>();
  #count = 0;

  get isFull(): boolean {
    return this.#count >= MAX_VALUES;
  }

  add(labels: JsonValue | undefined): void {
    if (!isJsonObject(labels)) return;
    for (const [name, value] of Object.entries(labels)) {
      const values = this.#values.get(name) ?? new Set();
      if (typeof value !== 'string' || values.has(value) || this.isFull) continue;
      this.#values.set(name, values.add(value));
      this.#count++;
    }
  }

  toJson(): JsonObject {
    const names = [...this.#values.keys()].toSorted();
    return Object.fromEntries(names.map((name) => [name, [...(this.#values.get(name) ?? [])].toSorted()]));
  }
}
