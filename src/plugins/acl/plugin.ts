import { definePlugin, type PluginAnswer, refuse } from '../../plugin-kit/index.ts';
import { labelValues } from './label-values.ts';
import { type AclConfiguration, aclSchema, type WantedLabels } from './schema.ts';

type LabelRules = ReadonlyMap<string, ReadonlySet<string>>;

interface AclState {
  readonly allowed: LabelRules | undefined;
  readonly denied: LabelRules | undefined;
  readonly missing: PluginAnswer;
  readonly forbidden: PluginAnswer;
}

/** Lets requests pass by the labels of their consumer. As APISIX's acl. */
export const acl = definePlugin<AclConfiguration, AclState>({
  ...aclSchema,
  readsHeadLater: false,
  create: ({ allow_labels: allowed, deny_labels: denied, rejected_code: status, rejected_msg: message }) => ({
    allowed: allowed && rulesOf(allowed),
    denied: denied && rulesOf(denied),
    missing: refuse('consumer_required'),
    forbidden: refuse('consumer_forbidden', message === undefined ? { status } : { status, message }),
  }),
  phases: {
    access: ({ consumer }, { allowed, denied, missing, forbidden }) => {
      if (consumer === undefined) return missing;
      if (denied !== undefined && holdsWanted(consumer.labels, denied)) return forbidden;
      return allowed === undefined || holdsWanted(consumer.labels, allowed) ? undefined : forbidden;
    },
  },
});

function rulesOf(labels: WantedLabels): LabelRules {
  return new Map(Object.entries(labels).map(([name, values]) => [name, new Set(values)]));
}

function holdsWanted(labels: ReadonlyMap<string, string> | undefined, rules: LabelRules): boolean {
  if (labels === undefined) return false;
  for (const [name, wanted] of rules) {
    const text = labels.get(name);
    if (text !== undefined && labelValues(text).some((value) => wanted.has(value))) return true;
  }
  return false;
}
