import { type Access, type Rule, ruleOf } from './access.ts';
import { covers, overlap, type Pattern } from './pattern.ts';
import type { Condition, PolicyDocument } from './policy-document.ts';

/** So much is compared at most (characters times characters, about 0.2 s): the answer to a monstrous question is no. */
const MAX_STEPS = 100_000_000;

/**
 * Whether somebody with this access already has all that the policies allow, so that giving them away raises nobody above him.
 * Errs on the side of no: what two of his rules allow only together is not looked for.
 */
export function hasAllOf(access: Access, policies: readonly PolicyDocument[]): boolean {
  const granted = policies.flatMap((policy) => policy.statement.map(ruleOf));
  return new Comparison().hasAll(access, granted);
}

class OutOfSteps extends Error {}

/** One comparison, and what it may still cost. */
class Comparison {
  #steps = MAX_STEPS;

  hasAll(access: Access, granted: readonly Rule[]): boolean {
    try {
      return this.#hasAll(access, granted);
    } catch (error) {
      if (error instanceof OutOfSteps) return false;
      throw error;
    }
  }

  #hasAll(access: Access, granted: readonly Rule[]): boolean {
    const grantedDenies = granted.filter((rule) => !rule.isAllow);
    // What the policies themselves take away again, he need not have.
    const denies = [...access.rules, ...(access.boundary ?? [])].filter(
      (rule) => !rule.isAllow && !grantedDenies.some((other) => this.#isWithin(rule, other)),
    );
    return granted
      .filter((rule) => rule.isAllow)
      .every(
        (rule) =>
          this.#isWithinSome(rule, access.rules) &&
          this.#isWithinSome(rule, access.boundary) &&
          !denies.some((deny) => this.#meets(rule, deny)),
      );
  }

  #isWithinSome(rule: Rule, rules: readonly Rule[] | undefined): boolean {
    if (rules === undefined) return true;
    const allows = rules.filter(({ isAllow }) => isAllow);
    if (allows.some((other) => this.#isWithin(rule, other))) return true;
    // Each pair of an action and a resource may be allowed by another rule.
    return rule.actions.every((action) =>
      rule.resources.every((resource) =>
        allows.some((other) => this.#isWithin({ ...rule, actions: [action], resources: [resource] }, other)),
      ),
    );
  }

  #isWithin(rule: Rule, other: Rule): boolean {
    return (
      rule.actions.every((action) => other.actions.some((pattern) => this.#covers(pattern, action))) &&
      rule.resources.every((resource) => other.resources.some((pattern) => this.#covers(pattern, resource))) &&
      [...other.conditions].every(([name, condition]) => isSame(rule.conditions.get(name), condition))
    );
  }

  #meets(rule: Rule, deny: Rule): boolean {
    return (
      rule.actions.some((action) => deny.actions.some((pattern) => this.#overlap(pattern, action))) &&
      // A deny of a group counts for what lies in it.
      rule.resources.some((resource) =>
        deny.resources.some(
          (pattern) =>
            this.#overlap(pattern, resource) ||
            this.#overlap(`${pattern}/*`, resource) ||
            // An allow of a group counts for its consumers, which a deny may name one by one.
            this.#overlap(pattern, `${resource}/consumer/*`),
        ),
      )
    );
  }

  #covers(pattern: Pattern, subject: string): boolean {
    this.#spend(pattern.length + subject.length);
    return covers(pattern, subject);
  }

  #overlap(one: string, other: string): boolean {
    this.#spend(one.length * other.length);
    return overlap(one, other);
  }

  #spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new OutOfSteps();
  }
}

function isSame(one: Condition | undefined, other: Condition): boolean {
  if (one?.type === 'MatchLabel' && other.type === 'MatchLabel') {
    return (
      one.options.key === other.options.key && one.options.operator === other.options.operator && one.options.value === other.options.value
    );
  }
  return JSON.stringify(one) === JSON.stringify(other);
}
