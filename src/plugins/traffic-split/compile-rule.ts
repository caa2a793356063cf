import { compileExpression } from '../../expression/index.ts';
import { type ConnectionView, type PluginAnswer, type PluginSetup, refuse, type UpstreamHandle } from '../../plugin-kit/index.ts';
import type { TrafficSplitRule, WeightedUpstream } from './schema.ts';
import { WeightedCycle } from './weighted-cycle.ts';

/** An upstream by its id, and what is answered where there is none. */
interface NamedUpstream {
  readonly id: string;
  readonly unknown: PluginAnswer;
}

/** A rule that is ready to be asked. */
export interface CompiledRule {
  readonly named: readonly NamedUpstream[];
  matches(request: ConnectionView): boolean;
  /** The upstream of the next request; undefined for the route's own. */
  next(request: ConnectionView): UpstreamHandle | undefined;
}

/** Compiles a rule; `takeHandle` gives the handles of the upstreams that stand in it, in their order. */
export function compileRule(rule: TrafficSplitRule, takeHandle: () => UpstreamHandle | undefined, { random }: PluginSetup): CompiledRule {
  const { match, weighted_upstreams: entries } = rule;
  const handles = entries.map((entry) => (isInline(entry) ? takeHandle() : undefined));
  const ids = entries.map(({ upstream_id: id }) => (id === undefined ? undefined : String(id)));
  const cycle = new WeightedCycle(
    entries.map(({ weight }) => weight),
    random,
  );
  return {
    named: ids.flatMap((id) => (id === undefined ? [] : [namedUpstream(id)])),
    matches: compileMatch(match),
    next: (request) => {
      const chosen = cycle.next();
      const id = ids[chosen];
      return id === undefined ? handles[chosen] : request.serviceUpstream(id);
    },
  };
}

function isInline({ upstream, upstream_id: id }: WeightedUpstream): boolean {
  return upstream !== undefined && id === undefined;
}

function namedUpstream(id: string): NamedUpstream {
  const message = `failed to fetch upstream info by upstream id: ${id}`;
  return { id, unknown: refuse('unknown_upstream', { style: 'text', message }) };
}

/** One of the expressions must hold; without any the rule always does. */
function compileMatch(match: TrafficSplitRule['match'] = []): (request: ConnectionView) => boolean {
  if (match.length === 0) return () => true;
  const rules = match.map(({ vars = null }) => compileExpression(vars));
  return (request) => rules.some((rule) => rule.kind === 'expression' && rule.test(request));
}
