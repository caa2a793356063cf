import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { instantiatePlugin, type PluginInstance } from '../instantiate-plugin.ts';
import type { AnyPlugin } from '../plugin.ts';
import { type ReadPlugin, readPlugin } from '../read-plugin.ts';
import { readPluginConfiguration } from '../read-plugin-configuration.ts';
import { type TestSetup, testSetup } from './test-setup.ts';

/**
 * A plugin with a configuration as it was written, read and created as a gateway does it: what was read goes from one thread to
 * another, plugins inside it are created first, upstreams get their handles.
 *
 * @throws PortcullisError `internal` for an invalid configuration, and whatever `create` throws
 */
export function createPlugin(plugin: AnyPlugin, configuration: JsonValue, setup: TestSetup = testSetup()): PluginInstance {
  return instantiate(plugin, structuredClone(readPlugin(plugin, configuration, setup.plugins)), setup);
}

function instantiate(plugin: AnyPlugin, read: ReadPlugin, setup: TestSetup): PluginInstance {
  if (read.kind !== 'ready') return instantiatePlugin(plugin, read, setup);
  const { metadata } = setup;
  return instantiatePlugin(plugin, read, {
    ...setup,
    configurationHash: setup.configurationHash === '' ? hash('sha256', JSON.stringify(read.configuration)) : setup.configurationHash,
    metadata: metadata && readMetadata(plugin, metadata),
    upstreams: (plugin.upstreams?.(read.configuration) ?? []).map((_, index) => ({ index })),
    nested: (read.nested ?? []).map((inner) => instantiate(pluginNamed(inner.name, setup), inner.read, setup)),
  });
}

function readMetadata(plugin: AnyPlugin, metadata: JsonObject): JsonObject {
  return plugin.metadataSchema === undefined ? metadata : readPluginConfiguration(plugin.metadataSchema, metadata);
}

function pluginNamed(name: string, setup: TestSetup): AnyPlugin {
  const plugin = setup.plugins.find((each) => each.name === name);
  if (plugin === undefined) throw new Error(`testSetup does not know the plugin ${name}`);
  return plugin;
}
