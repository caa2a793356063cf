import { type ReadPlugin, resolveSecretReferences, type ValueOfReference } from '../../plugin-kit/index.ts';
import type { PluginSettings } from '../runtime/settings.ts';

/** Plugins with what the references in their configurations stand for. Those that are not known stay as they were written, as in APISIX. */
export function resolvePluginSettings(plugins: PluginSettings, lookUp: ValueOfReference): PluginSettings {
  let changed = false;
  const resolved = [...plugins].map(([name, read]): readonly [string, ReadPlugin] => {
    const other = resolvePlugin(read, lookUp);
    if (other !== read) changed = true;
    return [name, other];
  });
  return changed ? new Map(resolved) : plugins;
}

function resolvePlugin(read: ReadPlugin, lookUp: ValueOfReference): ReadPlugin {
  if (read.kind !== 'ready') return read;
  const configuration = resolveSecretReferences(read.configuration, lookUp);
  // What is nested stands inside the configuration too.
  if (configuration === read.configuration) return read;
  if (read.nested === undefined) return { ...read, configuration };
  return { ...read, configuration, nested: read.nested.map(({ name, read: inner }) => ({ name, read: resolvePlugin(inner, lookUp) })) };
}
