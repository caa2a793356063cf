import type { SafeRegex } from '../../expression/index.ts';
import { compileRegexes, definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { type UaRestrictionConfiguration, uaRestrictionSchema } from './schema.ts';

interface UaRestrictionState {
  readonly rules: readonly SafeRegex[];
  /** Whether those that match a rule pass, or all others. */
  readonly matchingPass: boolean;
  readonly bypassMissing: boolean;
  readonly refusal: PluginAnswer;
}

/** Lets requests pass by what User-Agent says. As APISIX's ua-restriction. */
export const uaRestriction = definePlugin<UaRestrictionConfiguration, UaRestrictionState>({
  ...uaRestrictionSchema,
  readsHeadLater: false,
  create: ({ allowlist, denylist = [], bypass_missing: bypassMissing, message }) => ({
    rules: compileRegexes(allowlist ?? denylist),
    matchingPass: allowlist !== undefined,
    bypassMissing,
    refusal: refuse('user_agent_forbidden', { message }),
  }),
  phases: {
    access: (request, { rules, matchingPass, bypassMissing, refusal }) => {
      const agents = request.headerValues('user-agent');
      if (agents.length === 0) return bypassMissing ? undefined : refusal;
      // Of several user agents one that matches is enough, to be allowed as to be refused.
      const matches = agents.some((agent) => matchesAny(rules, agent.trim()));
      return matches === matchingPass ? undefined : refusal;
    },
  },
});

function matchesAny(rules: readonly SafeRegex[], agent: string): boolean {
  return rules.some((rule) => rule.test(agent));
}
