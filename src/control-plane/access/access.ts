import { ANYTHING, covers, overlap, type Pattern, readPattern } from './pattern.ts';
import type { Condition, PolicyDocument, Statement } from './policy-document.ts';

/** What is known of the thing that is to be used, by the name of the condition that asks for it: labels, or a list of names. */
export type Facts = ReadonlyMap<string, ReadonlyMap<string, string> | readonly string[]>;

/** The thing that an action is to be done to. */
export interface Target {
  /** Its resource names, older and newer spelling: an allow must match one of them. */
  readonly names: readonly string[];
  /** Names of what it lies in: a deny counts for those too. */
  readonly enclosing: readonly string[];
  /** All that conditions can ask of it. Undefined when nobody has looked: then no condition lets anybody through. */
  readonly facts: Facts | undefined;
}

/** A compiled statement. */
export interface Rule {
  readonly isAllow: boolean;
  readonly actions: readonly Pattern[];
  readonly resources: readonly Pattern[];
  readonly conditions: ReadonlyMap<string, Condition>;
}

interface RulesForAction {
  readonly denies: readonly Rule[];
  readonly allows: readonly Rule[];
  readonly boundary: readonly Rule[] | undefined;
}

/**
 * What somebody may do, compiled from policies. Made by `compileAccess`, asked by `isAllowed` and its like.
 *
 * The answers for an action are sorted out once and kept; actions are names in this program, so there are only so many.
 */
export interface Access {
  readonly rules: readonly Rule[];
  /** What the rules are bounded by; undefined for no bound. */
  readonly boundary: readonly Rule[] | undefined;
  readonly byAction: Map<string, RulesForAction>;
}

/** Compiles the policies of somebody's roles, and those of the permission boundary where there is one. */
export function compileAccess(policies: readonly PolicyDocument[], boundary: readonly PolicyDocument[] | undefined): Access {
  return {
    rules: policies.flatMap((policy) => policy.statement.map(ruleOf)),
    boundary: boundary?.flatMap((policy) => policy.statement.map(ruleOf)),
    byAction: new Map(),
  };
}

/** The access of nobody. */
export const NO_ACCESS: Access = compileAccess([], undefined);

/** Whether the action may be done to the target: some rule allows it, the boundary does too, and no rule of either denies it. */
export function isAllowed(access: Access, action: string, target: Target): boolean {
  const { denies, allows, boundary } = rulesFor(access, action);
  const all = [...target.names, ...target.enclosing];
  if (denies.some((rule) => concerns(rule, all, target.facts))) return false;
  if (!allows.some((rule) => concerns(rule, target.names, target.facts))) return false;
  return boundary === undefined || boundary.some((rule) => concerns(rule, target.names, target.facts));
}

/** Whether the action may be done to everything that a pattern such as `arn:api7:iam:user/*` stands for, without any condition. */
export function isAllowedForAll(access: Access, action: string, resources: string): boolean {
  const { denies, allows, boundary } = rulesFor(access, action);
  // A deny of a group counts for what lies in it.
  const takesAway = (resource: Pattern): boolean => overlap(resource, resources) || overlap(`${resource}/*`, resources);
  if (denies.some((rule) => rule.resources.some(takesAway))) return false;
  const allowsAll = (rule: Rule): boolean => rule.conditions.size === 0 && rule.resources.some((resource) => covers(resource, resources));
  return allows.some(allowsAll) && (boundary === undefined || boundary.some(allowsAll));
}

/** Whether there may be something among what the pattern stands for to which the action may be done: worth looking at each. */
export function isAllowedForSome(access: Access, action: string, resources: string): boolean {
  const { denies, allows, boundary } = rulesFor(access, action);
  if (denies.some((rule) => rule.conditions.size === 0 && rule.resources.some((resource) => covers(resource, resources)))) return false;
  const allowsSome = (rule: Rule): boolean => rule.resources.some((resource) => overlap(resource, resources));
  return allows.some(allowsSome) && (boundary === undefined || boundary.some(allowsSome));
}

/** Whether any rule for the action has conditions, so that the facts of a target matter. */
export function needsFacts(access: Access, action: string): boolean {
  const { denies, allows, boundary = [] } = rulesFor(access, action);
  return [...denies, ...allows, ...boundary].some((rule) => rule.conditions.size > 0);
}

function rulesFor(access: Access, action: string): RulesForAction {
  const known = access.byAction.get(action);
  if (known !== undefined) return known;
  const ofAction = (rule: Rule): boolean => rule.actions.some((pattern) => covers(pattern, action));
  const rules = access.rules.filter(ofAction);
  const boundary = access.boundary?.filter(ofAction);
  const sorted = {
    denies: [...rules, ...(boundary ?? [])].filter((rule) => !rule.isAllow),
    allows: rules.filter((rule) => rule.isAllow),
    boundary: boundary?.filter((rule) => rule.isAllow),
  };
  access.byAction.set(action, sorted);
  return sorted;
}

function concerns(rule: Rule, names: readonly string[], facts: Facts | undefined): boolean {
  if (!rule.resources.some((pattern) => names.some((name) => covers(pattern, name)))) return false;
  for (const [name, condition] of rule.conditions) {
    // Unknown facts let nobody through: an allow does not count then, and a deny does.
    const holds = facts === undefined ? !rule.isAllow : conditionHolds(condition, facts.get(name));
    if (!holds) return false;
  }
  return true;
}

function conditionHolds(condition: Condition, fact: ReadonlyMap<string, string> | readonly string[] | undefined): boolean {
  if (fact === undefined) return false;
  if (condition.type === 'AllOfStrings') return Array.isArray(fact) && condition.options.every((option) => fact.includes(option));
  if (!(fact instanceof Map)) return false;
  const { key, operator, value = '' } = condition.options;
  const label: string | undefined = fact.get(key);
  if (label === undefined) return false;
  switch (operator) {
    case 'exact_match':
      return label === value;
    case 'contains_string':
      return label.includes(value);
    case 'present':
      return true;
  }
}

/** Actions that API7 has called something else before; policies with the old names go on meaning the same. */
const RENAMED_ACTIONS: ReadonlyMap<string, string> = new Map([
  ['iam:CreateCustomRole', 'iam:CreateRole'],
  ['iam:UpdateCustomRole', 'iam:UpdateRole'],
  ...['Get', 'Put', 'Delete'].map((verb) => [`gateway:${verb}Secret`, `gateway:${verb}SecretProvider`] as const),
  ...['Get', 'Create', 'Update', 'Delete'].map((verb) => [`gateway:${verb}SSLCertificate`, `gateway:${verb}Certificate`] as const),
]);

/** Compiles one statement. */
export function ruleOf({ effect, actions, resources, conditions = {} }: Statement): Rule {
  const isAllow = effect === 'allow';
  // What this version cannot read, of a policy that another one stored, allows nothing and denies everything.
  const read = (texts: readonly string[]): readonly Pattern[] =>
    texts.map((text) => readPattern(text) ?? (isAllow ? undefined : ANYTHING)).filter((pattern) => pattern !== undefined);
  return {
    isAllow,
    actions: read(actions.map((action) => RENAMED_ACTIONS.get(action) ?? action)),
    resources: read(resources),
    conditions: new Map(Object.entries(conditions)),
  };
}
