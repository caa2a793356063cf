import { type PluginMeta, type ReadPlugin, resolveSecretReferences, type ValueOfReference } from '../../plugin-kit/index.ts';
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
  const meta = resolveMeta(read.meta, lookUp);
  const configuration = resolveSecretReferences(read.configuration, lookUp);
  // What is nested stands inside the configuration too.
  if (configuration === read.configuration) return meta === read.meta ? read : { ...read, meta };
  if (read.nested === undefined) return { ...read, meta, configuration };
  const nested = read.nested.map(({ name, read: inner }) => ({ name, read: resolvePlugin(inner, lookUp) }));
  return { ...read, meta, configuration, nested };
}

function resolveMeta(meta: PluginMeta, lookUp: ValueOfReference): PluginMeta {
  const filter = meta.filter && resolveSecretReferences(meta.filter, lookUp);
  const errorResponse = meta.errorResponse && resolveSecretReferences(meta.errorResponse, lookUp);
  return filter === meta.filter && errorResponse === meta.errorResponse ? meta : { ...meta, filter, errorResponse };
}
