import type { AnyPlugin, PhaseFunction, PluginInstance } from '../../plugin-kit/index.ts';
import { BODY_USE } from './body-use.ts';

/** The phases before a request is forwarded, in the order in which a chain runs them. */
export type RequestPhase = 'rewrite' | 'access' | 'beforeProxy';

/** One plugin with one configuration, as one place of a chain. */
export interface ChainMember {
  readonly name: string;
  /** Position of the plugin in the product's list plus one: its name on the worker board. */
  readonly number: number;
  readonly instance: PluginInstance;
  /** Headers by which this configuration asserts an identity, beside those that the plugin always declares. */
  readonly identityHeaders: readonly string[];
  /** The names of the plugins inside it. */
  readonly nested: readonly string[];
  /** Which variables of the request's body its configuration may ask for (see `BODY_USE`). */
  readonly bodyUse: number;
  /** One of the product's plugins: it is known to let a request go when that is over. */
  readonly isProduct: boolean;
}

/** One call that a request makes on its way. */
export interface PluginStep {
  readonly plugin: string;
  readonly number: number;
  readonly phase: RequestPhase;
  readonly run: PhaseFunction;
  readonly instance: PluginInstance;
}

/** A phase behind the decision, with the member it belongs to. */
export interface LaterStep<Run> {
  readonly member: ChainMember;
  readonly run: Run;
}

/**
 * The plugins that hold for a request, by phase, each phase by priority: higher first. A phase that nobody uses is an empty list, and costs
 * a request nothing.
 */
export interface PluginChain {
  readonly members: readonly ChainMember[];
  readonly rewrite: readonly PluginStep[];
  readonly access: readonly PluginStep[];
  readonly beforeProxy: readonly PluginStep[];
  readonly headerFilters: readonly LaterStep<NonNullable<PluginInstance['headerFilter']>>[];
  readonly bodyFilters: readonly LaterStep<NonNullable<PluginInstance['bodyFilter']>>[];
  readonly logs: readonly LaterStep<NonNullable<PluginInstance['log']>>[];
  /** A phase behind the decision looks at the client's head. */
  readonly keepsHead: boolean;
  /** A log phase may look at the answer's head. */
  readonly keepsAnswer: boolean;
  /** There is one who puts a coding on bodies. */
  readonly encodesBodies: boolean;
  /** There is a header or body filter. */
  readonly filtersAnswers: boolean;
  /** There is a phase before the decision. */
  readonly hasSteps: boolean;
  /** All plugins are the product's own, so a request's object may serve another request. */
  readonly sharesContexts: boolean;
  /** Variables of the body that some plugin may ask for (see `BODY_USE`). */
  readonly bodyUse: number;
  /** As global rules, some of the plugins do not run where the route has them too. */
  readonly yieldsToRoute: boolean;
}

/** The product's plugins by name, with their positions. */
export type PluginCatalogue = ReadonlyMap<string, { readonly plugin: AnyPlugin; readonly number: number; readonly isProduct: boolean }>;

/** Makes plugins findable by name; `others` are not the product's own. @throws Error when two have the same name */
export function catalogueOf(plugins: readonly AnyPlugin[], others: readonly AnyPlugin[] = []): PluginCatalogue {
  const catalogue = new Map<string, { plugin: AnyPlugin; number: number; isProduct: boolean }>();
  for (const [index, plugin] of [...plugins, ...others].entries()) {
    if (catalogue.has(plugin.name)) throw new Error(`two plugins are called ${plugin.name}`);
    catalogue.set(plugin.name, { plugin, number: index + 1, isProduct: index < plugins.length });
  }
  return catalogue;
}

/**
 * The chain of these members. They are sorted by priority, higher first; plugins of equal priority run in the order of their names, so
 * that all workers and restarts agree.
 */
export function chainOf(unsorted: readonly ChainMember[]): PluginChain {
  const members = [...unsorted].sort((a, b) => b.instance.priority - a.instance.priority || (a.name < b.name ? -1 : 1));
  const [rewrite, access, beforeProxy] = [stepsOf('rewrite', members), stepsOf('access', members), stepsOf('beforeProxy', members)];
  // Who puts a coding on bodies comes last, so that the others see them as they are.
  const filtering = [...members.filter((member) => !encodesBody(member)), ...members.filter(encodesBody)];
  const headerFilters = laterSteps(filtering, ({ headerFilter }) => headerFilter);
  const bodyFilters = laterSteps(filtering, ({ bodyFilter }) => bodyFilter);
  const logs = laterSteps(members, ({ log }) => log);
  const later = [...headerFilters, ...bodyFilters, ...logs];
  return {
    members,
    rewrite,
    access,
    beforeProxy,
    headerFilters,
    bodyFilters,
    logs,
    keepsHead: later.some(readsHeads),
    keepsAnswer: logs.some(readsHeads),
    encodesBodies: members.some(encodesBody),
    filtersAnswers: headerFilters.length + bodyFilters.length > 0,
    hasSteps: rewrite.length + access.length + beforeProxy.length > 0,
    sharesContexts: members.every(({ isProduct }) => isProduct),
    bodyUse: members.reduce<number>((use, member) => use | member.bodyUse, BODY_USE.none),
    yieldsToRoute: members.some(({ instance }) => instance.plugin.runPolicy === 'prefer-route'),
  };
}

/** What holds where there is no plugin. */
export const EMPTY_CHAIN: PluginChain = chainOf([]);

function encodesBody({ instance }: ChainMember): boolean {
  return instance.plugin.encodesBody === true;
}

function readsHeads({ member: { instance } }: LaterStep<unknown>): boolean {
  return instance.plugin.readsHeadLater !== false || instance.filter !== undefined;
}

/** The calls of one phase. */
function stepsOf(phase: RequestPhase, members: readonly ChainMember[]): readonly PluginStep[] {
  return members.flatMap(({ name, number, instance }) => {
    const run = instance[phase];
    return run === undefined ? [] : [{ plugin: name, number, phase, run, instance }];
  });
}

function laterSteps<Run>(members: readonly ChainMember[], runOf: (instance: PluginInstance) => Run | undefined): readonly LaterStep<Run>[] {
  return members.flatMap((member) => {
    const run = runOf(member.instance);
    return run === undefined ? [] : [{ member, run }];
  });
}
