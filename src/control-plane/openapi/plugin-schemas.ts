import { type PluginSchema, pluginMetaSchema } from '../../plugin-kit/index.ts';
import type { PluginSite, TSchema } from '../../schema/index.ts';
import { Type } from '../../schema/index.ts';
import { documentSchema } from './document-schema.ts';
import { schemaRef } from './operation-description.ts';

/** What `plugins` may hold, by where it stands. */
const SITES: Readonly<Record<PluginSite, string>> = {
  service: 'Plugins',
  route: 'Plugins',
  global_rule: 'Plugins',
  stream_route: 'StreamPlugins',
  consumer: 'ConsumerPlugins',
  credential: 'CredentialPlugins',
};

/** The schema of `plugins` in a body. */
export function pluginsRef(site: PluginSite): TSchema {
  return schemaRef(SITES[site]);
}

/** The configurations of all plugins as schemas of the document, and what `plugins` is made of at each site. */
export function pluginSchemas(plugins: readonly PluginSchema[]): Readonly<Record<string, TSchema>> {
  const authenticating = plugins.filter(({ type, consumerSchema }) => type === 'auth' && consumerSchema !== undefined);
  const others = plugins.filter(({ type }) => type !== 'auth');
  return {
    Plugins: pluginsOf('Plugin → configuration', plugins, 'route'),
    StreamPlugins: pluginsOf('Plugin → configuration. Authentication plugins have no place here.', others, 'route'),
    ConsumerPlugins: pluginsOf(
      'Plugin → configuration. That of an authentication plugin is a credential without an id.',
      plugins,
      'consumer',
    ),
    CredentialPlugins: {
      ...pluginsOf('One authentication plugin → configuration', authenticating, 'consumer'),
      minProperties: 1,
      maxProperties: 1,
    },
    PluginMeta: pluginMetaSchema,
    ...Object.fromEntries(plugins.flatMap(schemasOf)),
  };
}

function pluginsOf(description: string, plugins: readonly PluginSchema[], use: 'route' | 'consumer'): TSchema {
  const fields = plugins.map((plugin) => [plugin.name, Type.Optional(schemaRef(nameOf(plugin, use)))] as const);
  return Type.Object(Object.fromEntries(fields), { description, additionalProperties: false });
}

function nameOf({ name, consumerSchema }: PluginSchema, use: 'route' | 'consumer'): string {
  return use === 'consumer' && consumerSchema !== undefined ? `Plugin.${name}.consumer` : `Plugin.${name}`;
}

function schemasOf(plugin: PluginSchema): readonly (readonly [name: string, schema: TSchema])[] {
  const { name, schema, consumerSchema, metadataSchema } = plugin;
  return [
    [`Plugin.${name}`, withMeta(schema)],
    ...(consumerSchema === undefined ? [] : [[`Plugin.${name}.consumer`, withMeta(consumerSchema)] as const]),
    ...(metadataSchema === undefined ? [] : [[`Plugin.${name}.metadata`, metadataSchema] as const]),
  ];
}

/** With `_meta`, which every configuration may have. */
function withMeta(schema: TSchema): TSchema {
  const copy = documentSchema(schema);
  const { properties } = copy;
  return { ...copy, properties: { ...(typeof properties === 'object' ? properties : {}), _meta: schemaRef('PluginMeta') } };
}
