import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { PluginFacts } from '../../plugin-kit/index.ts';
import { isJsonObject } from '../../schema/index.ts';
import type { StoreReader } from '../../store/index.ts';
import type { ApiContext } from './api-context.ts';

/** Where facts come from: the store, or a transaction on it. */
interface FactSource extends Pick<ApiContext, 'closedFolders'> {
  readonly store: Pick<StoreReader, 'listResources'>;
}

/**
 * What the plugins of a body may ask beside it: the metadata of their group, without its secrets, and the closed folders. The store is asked only
 * where a plugin of the body has metadata and a check that could look at it.
 */
export async function factsForPlugins(context: ApiContext, groupId: string, plugins: JsonValue | undefined): Promise<PluginFacts> {
  const { closedFolders } = context;
  const asks = isJsonObject(plugins) && context.plugins.some((schema) => Object.hasOwn(plugins, schema.name) && asksForMetadata(schema));
  const metadata = asks ? await metadataOfGroup(context, groupId) : new Map<string, JsonObject>();
  return { closedFolders, metadataOf: (plugin) => metadata.get(plugin) };
}

/** As `factsForPlugins`, for a body that is not known yet. */
export async function factsOfGroup(context: FactSource, groupId: string): Promise<PluginFacts> {
  const metadata = await metadataOfGroup(context, groupId);
  return { closedFolders: context.closedFolders, metadataOf: (plugin) => metadata.get(plugin) };
}

function asksForMetadata({ metadataSchema, check }: ApiContext['plugins'][number]): boolean {
  return metadataSchema !== undefined && check !== undefined;
}

/** All metadata of a group by the name of its plugin, without secrets. */
export async function metadataOfGroup({ store }: Pick<FactSource, 'store'>, groupId: string): Promise<ReadonlyMap<string, JsonObject>> {
  const stored = await store.listResources({ groupId, kind: 'plugin_metadata' }, { secrets: 'omit' });
  return new Map(stored.map(({ key, document }) => [key.id, document]));
}
