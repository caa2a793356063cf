import type { Issue, JsonObject } from '../../plugin-kit/index.ts';

const SHORTEST_SYNC_S = 0.1;

/** What the schema cannot say, in APISIX's words. */
export function checkLimitCount(configuration: JsonObject): readonly Issue[] {
  return [...checkForm(configuration), ...checkRules(configuration), ...checkSyncInterval(configuration)];
}

function checkForm({ count, time_window: timeWindow, rules, group }: JsonObject): readonly Issue[] {
  if (rules === undefined) {
    const isWhole = count !== undefined && timeWindow !== undefined;
    return isWhole ? [] : [{ pointer: '', message: 'value should match only one schema, but matches none' }];
  }
  const issues: Issue[] = [];
  if (count !== undefined || timeWindow !== undefined) {
    issues.push({ pointer: '/rules', message: 'count/time_window and rules cannot be specified at the same time' });
  }
  if (group !== undefined) issues.push({ pointer: '/group', message: 'group and rules cannot be specified at the same time' });
  return issues;
}

function checkRules({ rules }: JsonObject): readonly Issue[] {
  const list = Array.isArray(rules) ? rules : [];
  const seen = new Set<unknown>();
  return list.flatMap((rule, index) => {
    const { key } = Object(rule);
    if (seen.has(key)) return [{ pointer: `/rules/${index}/key`, message: `duplicate key '${key}' in rules` }];
    seen.add(key);
    return [];
  });
}

/** For servers only: counters of the instance have nothing to sync. */
function checkSyncInterval({ policy, sync_interval: interval, time_window: timeWindow }: JsonObject): readonly Issue[] {
  if (policy === 'local' || typeof interval !== 'number' || interval === -1) return [];
  const pointer = '/sync_interval';
  if (interval < SHORTEST_SYNC_S) return [{ pointer, message: 'sync_interval should not be smaller than 0.1' }];
  const isTooLong = typeof timeWindow === 'number' && interval >= timeWindow;
  return isTooLong ? [{ pointer, message: 'sync_interval should be smaller than time_window' }] : [];
}
