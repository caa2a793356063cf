import { type ConnectionView, definePlugin, type PluginAnswer } from '../../plugin-kit/index.ts';
import { type CompiledRule, compileRule } from './compile-rule.ts';
import { type TrafficSplitConfiguration, trafficSplitSchema } from './schema.ts';

/** Sends shares of the requests to other upstreams than the route's own. As APISIX's traffic-split. */
export const trafficSplit = definePlugin<TrafficSplitConfiguration, readonly CompiledRule[]>({
  ...trafficSplitSchema,
  readsHeadLater: false,
  create: ({ rules = [] }, setup) => {
    const handles = setup.upstreams.values();
    return rules.map((rule) => compileRule(rule, () => handles.next().value, setup));
  },
  phases: {
    access: split,
    preread: split,
  },
});

function split(request: ConnectionView, rules: readonly CompiledRule[]): PluginAnswer | undefined {
  for (const rule of rules) {
    // Asked before the rule itself, whatever it would choose: a rule that names what is not there is a mistake.
    const unknown = unknownUpstream(rule, request);
    if (unknown !== undefined) return unknown;
    if (!rule.matches(request)) continue;
    const upstream = rule.next(request);
    if (upstream !== undefined) request.useUpstream(upstream);
    return undefined;
  }
  return undefined;
}

/** The service's own upstream has the service's id (API7: "the default upstream"). */
function unknownUpstream({ named }: CompiledRule, request: ConnectionView): PluginAnswer | undefined {
  for (const { id, unknown } of named) if (id !== request.route?.serviceId && request.serviceUpstream(id) === undefined) return unknown;
  return undefined;
}
