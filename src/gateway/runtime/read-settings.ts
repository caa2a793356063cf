import type { JsonObject } from '../../lib/json.ts';
import { type ReadableSchema, readPlugin } from '../../plugin-kit/index.ts';
import {
  type EffectiveUpstream,
  type PluginConfigurations,
  readRoute,
  readService,
  readServiceUpstream,
  readStreamRoute,
} from '../../schema/index.ts';
import { CompileError } from './compile-error.ts';
import type { PluginSettings, RouteSettings, ServiceSettings, StreamRouteSettings } from './settings.ts';

/** What must be known of a plugin to read its configurations. */
export type ReadablePlugin = ReadableSchema;

/**
 * Reads a service for the workers: once, on the agent's thread, whatever their number. Schemas and what compiles them (9 MB and
 * 150 ms a thread) then stay out of the workers.
 *
 * @throws CompileError when this version cannot serve it
 */
export function readServiceSettings(id: string, value: JsonObject, plugins: readonly ReadablePlugin[]): ServiceSettings {
  return readAs(`service ${id}`, () => {
    const service = readService(value);
    return { ...service, plugins: readPlugins(service.plugins, plugins) };
  });
}

/** Reads an upstream of a service in the same way. @throws CompileError when this version cannot serve it */
export function readUpstreamSettings(id: string, value: JsonObject): EffectiveUpstream {
  return readAs(`upstream ${id}`, () => readServiceUpstream(value));
}

/** Reads a route in the same way. @throws CompileError when this version cannot serve it */
export function readRouteSettings(id: string, value: JsonObject, plugins: readonly ReadablePlugin[]): RouteSettings {
  return readAs(`route ${id}`, () => {
    const route = readRoute(value);
    return { ...route, plugins: readPlugins(route.plugins, plugins) };
  });
}

/** Reads a stream route in the same way. @throws CompileError when this version cannot serve it */
export function readStreamRouteSettings(id: string, value: JsonObject, plugins: readonly ReadablePlugin[]): StreamRouteSettings {
  return readAs(`stream route ${id}`, () => {
    const route = readStreamRoute(value);
    return { ...route, plugins: readPlugins(route.plugins, plugins) };
  });
}

/** Reads the plugins of any object. Throws nothing: what is invalid is told by whoever would run it. */
export function readPlugins(configurations: PluginConfigurations, plugins: readonly ReadablePlugin[]): PluginSettings {
  return new Map(
    [...configurations].map(([name, configuration]) => {
      const plugin = plugins.find((each) => each.name === name);
      return [
        name,
        plugin === undefined ? { kind: 'invalid', problem: 'unknown to this version' } : readPlugin(plugin, configuration, plugins),
      ];
    }),
  );
}

function readAs<Settings>(name: string, read: () => Settings): Settings {
  try {
    return read();
  } catch (error) {
    throw new CompileError(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
