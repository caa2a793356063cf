import { CompileError } from './compile-error.ts';
import type { MemberSurroundings } from './create-member.ts';
import { createMembers, HeldChain } from './held-chain.ts';
import { ownedBy } from './owned-plugins.ts';
import type { ChainMember } from './plugin-chain.ts';
import type { PluginSettings } from './settings.ts';

/**
 * The plugins of all global rules in one chain. They are not merged with those of routes: each runs, before them, on every request. A
 * plugin that stands in two rules runs in neither (APISIX: it is dropped from both, with a line in the log).
 *
 * @throws CompileError for a rule that this version cannot serve; nothing stays created
 */
export function compileGlobalRules(rules: ReadonlyMap<string, PluginSettings>, surroundings: MemberSurroundings): HeldChain {
  const repeated = repeatedPlugins(rules);
  for (const name of repeated) surroundings.services.logOf(name).warn('a plugin stands in two global rules and runs in neither');
  const members: ChainMember[] = [];
  try {
    for (const [id, plugins] of rules) {
      const own = new Map([...plugins].filter(([name]) => !repeated.has(name)));
      members.push(...membersOf(id, own, surroundings));
    }
  } catch (error) {
    for (const { instance } of members) instance.dispose();
    throw error;
  }
  return new HeldChain(members);
}

function membersOf(id: string, plugins: PluginSettings, surroundings: MemberSurroundings): readonly ChainMember[] {
  try {
    return createMembers(ownedBy({ kind: 'global_rule', id }, plugins), surroundings);
  } catch (error) {
    throw new CompileError(`global rule ${id}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function repeatedPlugins(rules: ReadonlyMap<string, PluginSettings>): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const plugins of rules.values()) {
    for (const [name, read] of plugins) {
      if (read.kind === 'disabled') continue;
      if (seen.has(name)) repeated.add(name);
      seen.add(name);
    }
  }
  return repeated;
}
