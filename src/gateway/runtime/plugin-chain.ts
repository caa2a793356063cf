import { type AnyPlugin, instantiatePlugin, type PhaseFunction, type PluginInstance, type ReadPlugin } from '../../plugin-kit/index.ts';
import { CompileError } from './compile-error.ts';
import type { PluginSettings } from './settings.ts';

/** The phases before a request is forwarded, in the order in which a chain runs them. */
export type RequestPhase = 'rewrite' | 'access';

/** One call that a request makes on its way. */
export interface PluginStep {
  readonly plugin: string;
  /** Position of the plugin in the product's list plus one: its name on the worker board. */
  readonly number: number;
  readonly phase: RequestPhase;
  readonly run: PhaseFunction;
}

/** All calls of a route in order: every plugin's rewrite, then every plugin's access. */
export interface PluginChain {
  readonly steps: readonly PluginStep[];
  /** Ends the plugins' state. Called once, after the last request. A plugin that fails to dispose hinders no other. */
  dispose(): void;
}

/** The product's plugins by name, with their positions. */
export type PluginCatalogue = ReadonlyMap<string, { readonly plugin: AnyPlugin; readonly number: number }>;

/** Makes plugins findable by name. @throws Error when two have the same name */
export function catalogueOf(plugins: readonly AnyPlugin[]): PluginCatalogue {
  const catalogue = new Map<string, { plugin: AnyPlugin; number: number }>();
  for (const [index, plugin] of plugins.entries()) {
    if (catalogue.has(plugin.name)) throw new Error(`two plugins are called ${plugin.name}`);
    catalogue.set(plugin.name, { plugin, number: index + 1 });
  }
  return catalogue;
}

/**
 * The plugins that hold on a route: its own and its service's, whole configuration over whole configuration, never field by
 * field. A plugin disabled on the route switches off the service's too (API7: release 3.8.19).
 */
export function mergePlugins(service: PluginSettings, route: PluginSettings): PluginSettings {
  if (route.size === 0) return service;
  return new Map([...service, ...route]);
}

/**
 * Creates the state of every plugin and sorts the calls by priority, higher first; plugins of equal priority run in the order of
 * their names, so that all workers and restarts agree.
 *
 * @throws CompileError for an unknown plugin, an invalid configuration or a plugin whose `create` throws; nothing stays created
 */
export function compileChain(settings: PluginSettings, catalogue: PluginCatalogue, onDisposeFailed: DisposeFailed): PluginChain {
  const instances: NumberedInstance[] = [];
  try {
    for (const [name, read] of settings) instances.push(instantiate(name, read, catalogue));
  } catch (error) {
    disposeAll(instances, onDisposeFailed);
    throw error;
  }
  instances.sort((a, b) => b.instance.priority - a.instance.priority || (a.instance.plugin.name < b.instance.plugin.name ? -1 : 1));
  return {
    steps: [...stepsOf('rewrite', instances), ...stepsOf('access', instances)],
    dispose: () => disposeAll(instances, onDisposeFailed),
  };
}

/** Told when a plugin's `dispose` throws. */
export type DisposeFailed = (plugin: string, error: unknown) => void;

interface NumberedInstance {
  readonly instance: PluginInstance;
  readonly number: number;
}

function instantiate(name: string, read: ReadPlugin, catalogue: PluginCatalogue): NumberedInstance {
  const entry = catalogue.get(name);
  // Serving the route without a plugin it asks for could let in whom that plugin keeps out.
  if (entry === undefined) throw new CompileError(`plugin ${name} is unknown to this version`);
  try {
    return { instance: instantiatePlugin(entry.plugin, read), number: entry.number };
  } catch (error) {
    throw new CompileError(`plugin ${name} does not take its configuration`, { cause: error });
  }
}

function stepsOf(phase: RequestPhase, instances: readonly NumberedInstance[]): readonly PluginStep[] {
  const steps: PluginStep[] = [];
  for (const { instance, number } of instances) {
    const run = instance[phase];
    if (run !== undefined) steps.push({ plugin: instance.plugin.name, number, phase, run });
  }
  return steps;
}

function disposeAll(instances: readonly NumberedInstance[], onDisposeFailed: DisposeFailed): void {
  for (const { instance } of instances) {
    try {
      instance.dispose();
    } catch (error) {
      onDisposeFailed(instance.plugin.name, error);
    }
  }
}
