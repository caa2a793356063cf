import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { isJsonObject, type ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';
import type { ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { readGatewayGroup } from './gateway-group-record.ts';

const PERMISSIONS: readonly (readonly [kind: ResourceKindName, permission: `gateway:${string}`])[] = [
  ['service', 'gateway:GetPublishedService'],
  ['route', 'gateway:GetPublishedService'],
  ['consumer', 'gateway:GetConsumer'],
  ['ssl', 'gateway:GetCertificate'],
];
/** Kinds of a group whose labels can be asked for. */
export const LABELLED_KINDS: readonly ResourceKindName[] = PERMISSIONS.map(([kind]) => kind);

const PAGE_ROWS = 500;
/** Values that an answer holds at most: a label like `custom_id` has another one on each of a million consumers. */
const MAX_VALUES = 10_000;

/** `GET /api/labels/<kind>`: the labels that resources of a group have, or groups themselves, each with its values: what lists can be narrowed by. */
export function labelRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/labels/gateway_group',
      permission: 'gateway:GetGatewayGroup',
      groupScoped: true,
      handle: async (request) => ({ body: { value: await labelsOfGroups(context, request) } }),
    },
    ...PERMISSIONS.map(
      ([kind, permission]): ApiRoute => ({
        method: 'GET',
        path: `/api/labels/${kind}`,
        permission,
        groupScoped: true,
        handle: async (request) => ({ body: { value: await labelsOfKind(context, request, kind) } }),
      }),
    ),
  ];
}

async function labelsOfGroups({ store }: ApiContext, { caller }: ApiRequest): Promise<JsonObject> {
  const found = new FoundLabels();
  for (const group of await store.listGroups()) {
    if (caller?.groupId !== undefined && caller.groupId !== group.id) continue;
    found.add((await readGatewayGroup(store, group)).resource.document.labels);
  }
  return found.toJson();
}

async function labelsOfKind({ store }: ApiContext, request: ApiRequest, kind: ResourceKindName): Promise<JsonObject> {
  const group = await gatewayGroupOf(store, request);
  const found = new FoundLabels();
  let after: ResourceKey | undefined = { groupId: group.id, kind, parentId: '', id: '' };
  // Page by page, so that other requests are served between the pages of a large group.
  while (after !== undefined && !found.isFull) {
    const page = await store.pageOfResources(group.id, after, PAGE_ROWS);
    const ofKind = page.filter(({ key }) => key.kind === kind);
    for (const { document } of ofKind) found.add(document.labels);
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
