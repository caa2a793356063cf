import type { JsonValue } from '../../lib/json.ts';
import { isJsonObject, type ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey, StoredResource, StoreReader } from '../../store/index.ts';
import type { Facts } from '../access/index.ts';
import { gatewayGroupKey } from './gateway-group-record.ts';

/** What is read to find out what conditions of policies ask for. */
export type FactReader = Pick<StoreReader, 'getResource'>;

/**
 * What conditions can ask of a resource: the labels of its service or consumer, and those of its gateway group. `id` is that of the service or
 * consumer to which it counts, `labels` what the resource itself has.
 */
export async function factsOfResource(
  store: FactReader,
  kind: ResourceKindName,
  groupId: string,
  id: string,
  labels: JsonValue | undefined,
): Promise<Facts> {
  const facts = groupLabelFacts((await store.getResource(gatewayGroupKey(groupId), { secrets: 'omit' }))?.document.labels);
  const stored = async (owner: ResourceKindName): Promise<ReadonlyMap<string, string>> =>
    labelMap((await store.getResource({ groupId, kind: owner, parentId: '', id }, { secrets: 'omit' }))?.document.labels);
  switch (kind) {
    case 'service':
      return facts.set('service_label', labelMap(labels));
    case 'upstream':
    case 'route':
    case 'stream_route':
      return facts.set('service_label', await stored('service'));
    case 'consumer':
      return facts.set('consumer_label', labelMap(labels));
    case 'credential':
      return facts.set('consumer_label', await stored('consumer'));
    default:
      return facts;
  }
}

/** What conditions can ask of a gateway group with these labels. */
export function groupLabelFacts(labels: JsonValue | undefined): Map<string, ReadonlyMap<string, string>> {
  return new Map([['gateway_group_label', labelMap(labels)]]);
}

/** Reads each resource once: in a list, many have one service. Only for what is over before anything can be written. */
export function rememberingReader(store: FactReader): FactReader {
  const known = new Map<string, Promise<StoredResource | undefined>>();
  return {
    getResource: (key, options) => {
      const name = nameOf(key);
      const found = known.get(name) ?? store.getResource(key, options);
      known.set(name, found);
      return found;
    },
  };
}

function nameOf({ groupId, kind, parentId, id }: ResourceKey): string {
  return JSON.stringify([groupId, kind, parentId, id]);
}

function labelMap(labels: JsonValue | undefined): ReadonlyMap<string, string> {
  const entries = labels !== undefined && isJsonObject(labels) ? Object.entries(labels) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
