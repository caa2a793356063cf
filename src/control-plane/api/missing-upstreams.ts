import type { JsonObject } from '../../lib/json.ts';
import { describeUpstreamIds, type PluginSchema } from '../../plugin-kit/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { ResourceKey, StoreReader } from '../../store/index.ts';

/** Ids that are looked for; a document that names more is warned of no others. */
const MAX_LOOKED_FOR = 100;

/**
 * A warning for each upstream that plugins of a route or a service name and the service does not have. It is no refusal: clients (ADC) write
 * routes before the upstreams that these name, and services before their upstreams exist. On consumers and in global rules it is not known of
 * which service an upstream is asked for.
 */
export async function warningsForUpstreams(
  reader: Pick<StoreReader, 'getResource'>,
  kind: ResourceKind,
  key: ResourceKey,
  document: JsonObject,
  schemas: readonly PluginSchema[],
): Promise<readonly string[]> {
  if (kind.pluginSite !== 'route' && kind.pluginSite !== 'service') return [];
  const serviceId = kind.pluginSite === 'service' ? key.id : document.service_id;
  if (typeof serviceId !== 'string') return [];
  const named = describeUpstreamIds(document.plugins, kind.pluginSite, schemas).filter(({ id }) => id !== serviceId);
  const warnings: string[] = [];
  for (const { pointer, id } of named.slice(0, MAX_LOOKED_FOR)) {
    const upstream = { groupId: key.groupId, kind: 'upstream', parentId: serviceId, id };
    if ((await reader.getResource(upstream, { secrets: 'omit' })) !== undefined) continue;
    warnings.push(`${pointer}: service ${serviceId} has no upstream ${id} yet: requests that reach the rule get 500 until it does`);
  }
  return warnings;
}
