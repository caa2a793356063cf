import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAccess, type Facts, isAllowed, isAllowedForAll, isAllowedForSome, type Target } from './access.ts';
import { hasAllOf } from './has-all-of.ts';
import type { Condition, PolicyDocument, Statement } from './policy-document.ts';

const NO_FACTS: Facts = new Map();
const target = (name: string, facts: Facts | undefined = NO_FACTS): Target => ({ names: [name], enclosing: [], facts });
const allow = (actions: string, resources: string, conditions?: Record<string, Condition>): Statement => ({
  effect: 'allow',
  actions: actions.split(' '),
  resources: resources.split(' '),
  ...(conditions === undefined ? {} : { conditions }),
});
const deny = (...parameters: Parameters<typeof allow>): Statement => ({ ...allow(...parameters), effect: 'deny' });
const policy = (...statement: readonly Statement[]): PolicyDocument => ({ statement });
const access = (...statement: readonly Statement[]) => compileAccess([policy(...statement)], undefined);
const team = (value: string, operator: 'exact_match' | 'contains_string' | 'present' = 'exact_match'): Record<string, Condition> => ({
  service_label: { type: 'MatchLabel', options: { key: 'team', operator, value } },
});
const labelled = (labels: Record<string, string>): Facts => new Map([['service_label', new Map(Object.entries(labels))]]);

test('nothing is allowed that no statement allows, and deny wins wherever it stands', () => {
  assert.ok(!isAllowed(compileAccess([], undefined), 'gateway:GetConsumer', target('x')));
  const both = compileAccess([policy(deny('gateway:Delete*', '*')), policy(allow('*', '*'))], undefined);
  assert.ok(isAllowed(both, 'gateway:GetConsumer', target('x')));
  assert.ok(!isAllowed(both, 'gateway:DeleteConsumer', target('x')));
});

test('a boundary allows nothing, it only takes away, and its denies count too', () => {
  const bounded = compileAccess(
    [policy(allow('gateway:*', '*'))],
    [policy(allow('gateway:Get* iam:*', '*'), deny('gateway:GetSecretProvider', '*'))],
  );
  assert.ok(isAllowed(bounded, 'gateway:GetConsumer', target('x')));
  assert.ok(!isAllowed(bounded, 'gateway:UpdateConsumer', target('x')));
  assert.ok(!isAllowed(bounded, 'iam:GetUser', target('x')));
  assert.ok(!isAllowed(bounded, 'gateway:GetSecretProvider', target('x')));
  assert.ok(!isAllowed(compileAccess([policy(allow('*', '*'))], []), 'gateway:GetConsumer', target('x')));
});

test('a deny counts for what lies within, an allow only for the names themselves', () => {
  const service: Target = { names: ['group/a/service/s'], enclosing: ['group/a'], facts: NO_FACTS };
  assert.ok(!isAllowed(access(allow('x:Y', 'group/a')), 'x:Y', service));
  assert.ok(!isAllowed(access(allow('x:Y', '*'), deny('x:Y', 'group/a')), 'x:Y', service));
});

test('all conditions of a statement must hold, each in its way', () => {
  const ask = (conditions: Record<string, Condition>, facts: Facts | undefined) =>
    isAllowed(access(allow('x:Y', '*', conditions)), 'x:Y', target('s', facts));
  assert.ok(ask(team('a'), labelled({ team: 'a' })));
  assert.ok(!ask(team('a'), labelled({ team: 'ab' })));
  assert.ok(ask(team('a', 'contains_string'), labelled({ team: 'bab' })));
  assert.ok(ask(team('', 'present'), labelled({ team: 'b' })));
  assert.ok(!ask(team('', 'present'), labelled({})));
  assert.ok(!ask(team('a'), labelled({ constructor: 'a' })));
  assert.ok(
    !ask({ ...team('a'), user_label: { type: 'MatchLabel', options: { key: 'k', operator: 'present' } } }, labelled({ team: 'a' })),
  );
  const boundaries: Record<string, Condition> = { permission_boundaries: { type: 'AllOfStrings', options: ['p', 'q'] } };
  assert.ok(ask(boundaries, new Map([['permission_boundaries', ['q', 'x', 'p']]])));
  assert.ok(!ask(boundaries, new Map([['permission_boundaries', ['p']]])));
});

test('where nobody has looked at the facts, a condition lets nobody through', () => {
  const unknown: Target = { names: ['s'], enclosing: [], facts: undefined };
  assert.ok(!isAllowed(access(allow('x:Y', '*', team('a'))), 'x:Y', unknown));
  assert.ok(!isAllowed(access(allow('x:Y', '*'), deny('x:Y', '*', team('a'))), 'x:Y', unknown));
});

test('all means every one: a deny of one, a condition or a narrower allow is too little', () => {
  const all = (...statements: readonly Statement[]) => isAllowedForAll(access(...statements), 'x:Y', 'user/*');
  assert.ok(all(allow('x:*', 'user/*')));
  assert.ok(!all(allow('x:Y', 'user/a')));
  assert.ok(!all(allow('x:Y', '*'), deny('x:Y', 'user/a')));
  assert.ok(!all(allow('x:Y', '*', team('a'))));
  const some = (...statements: readonly Statement[]) => isAllowedForSome(access(...statements), 'x:Y', 'user/*');
  assert.ok(some(allow('x:Y', 'user/a')));
  assert.ok(some(allow('x:Y', '*er/a', team('a'))));
  assert.ok(!some(allow('x:Y', 'role/a')));
  assert.ok(!some(allow('x:Y', '*'), deny('x:*', 'user*')));
  assert.ok(some(allow('x:Y', '*'), deny('x:Y', 'user/a')));
  assert.ok(some(allow('x:Y', '*'), deny('x:Y', '*', team('a'))));
});

test('nobody has all of what goes beyond his own rules, denies or boundary', () => {
  const mine = access(allow('gateway:*', 'group/a*'), deny('gateway:DeleteConsumer', 'group/a'));
  assert.ok(hasAllOf(mine, [policy(allow('gateway:GetConsumer gateway:Update*', 'group/a/service/x'))]));
  assert.ok(!hasAllOf(mine, [policy(allow('gateway:GetConsumer', 'group/b'))]));
  assert.ok(!hasAllOf(mine, [policy(allow('*', 'group/a'))]));
  assert.ok(!hasAllOf(mine, [policy(allow('gateway:Delete*', 'group/a/x'))]));
  // What is taken away in the same breath is not given.
  assert.ok(hasAllOf(mine, [policy(allow('gateway:Delete*', 'group/a/x'), deny('gateway:Delete*', 'group/a'))]));
  const bounded = compileAccess([policy(allow('*', '*'))], [policy(allow('iam:*', '*'))]);
  assert.ok(hasAllOf(bounded, [policy(allow('iam:GetUser', 'user/x'))]));
  assert.ok(!hasAllOf(bounded, [policy(allow('gateway:GetConsumer', '*'))]));
  const conditional = access(allow('x:Y', '*', team('a')));
  assert.ok(!hasAllOf(conditional, [policy(allow('x:Y', 's'))]));
  assert.ok(hasAllOf(conditional, [policy(allow('x:Y', 's', team('a')))]));
});

test('names that mean something to JavaScript are names', () => {
  const odd = access(allow('constructor __proto__', '__proto__'));
  assert.ok(isAllowed(odd, '__proto__', target('__proto__')));
  assert.ok(!isAllowed(odd, 'toString', target('__proto__')));
});

/** Evaluation as one would write it down at first: every statement of every policy, with regular expressions. */
function naivelyAllowed(
  roles: readonly PolicyDocument[],
  boundary: readonly PolicyDocument[] | undefined,
  action: string,
  asked: Target,
): boolean {
  const matches = (pattern: string, text: string) => new RegExp(`^${pattern.replaceAll('<.*>', '*').replaceAll('*', '.*')}$`).test(text);
  const holds = ({ conditions = {} }: Statement) =>
    Object.entries(conditions).every(([name, condition]) => {
      const labels = asked.facts?.get(name);
      if (!(labels instanceof Map) || condition.type !== 'MatchLabel') return false;
      const label: unknown = labels.get(condition.options.key);
      if (typeof label !== 'string') return false;
      if (condition.options.operator === 'present') return true;
      const value = condition.options.value ?? '';
      return condition.options.operator === 'exact_match' ? label === value : label.includes(value);
    });
  const some = (policies: readonly PolicyDocument[], effect: string, names: readonly string[]) =>
    policies.some(({ statement }) =>
      statement.some(
        (one) =>
          one.effect === effect &&
          one.actions.some((pattern) => matches(pattern, action)) &&
          one.resources.some((pattern) => names.some((name) => matches(pattern, name))) &&
          holds(one),
      ),
    );
  const everywhere = [...asked.names, ...asked.enclosing];
  if (some(roles, 'deny', everywhere) || some(boundary ?? [], 'deny', everywhere)) return false;
  return some(roles, 'allow', asked.names) && (boundary === undefined || some(boundary, 'allow', asked.names));
}

const patternText = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '<.*>'), minLength: 1, maxLength: 4 });
const conditions = fc.option(
  fc
    .tuple(fc.constantFrom('exact_match', 'contains_string', 'present'), fc.constantFrom('x', 'xy'))
    .map(([operator, value]) => team(value, operator as 'present')),
  { nil: undefined, freq: 3 },
);
const statements = fc
  .tuple(
    fc.constantFrom('allow', 'allow', 'deny'),
    fc.array(patternText, { minLength: 1, maxLength: 2 }),
    fc.array(patternText, { minLength: 1, maxLength: 2 }),
    conditions,
  )
  .map(([effect, actions, resources, asked]): Statement => {
    return { effect: effect as 'allow', actions, resources, ...(asked === undefined ? {} : { conditions: asked }) };
  });
const policies = fc.array(
  fc.array(statements, { minLength: 1, maxLength: 3 }).map((statement) => ({ statement })),
  { maxLength: 3 },
);
const nameText = fc.string({ unit: fc.constantFrom('a', 'b', '/'), minLength: 1, maxLength: 4 });
const targets = fc
  .tuple(fc.array(nameText, { minLength: 1, maxLength: 2 }), fc.array(nameText, { maxLength: 1 }), fc.constantFrom('x', 'xyz', undefined))
  .map(([names, enclosing, label]): Target => ({ names, enclosing, facts: label === undefined ? NO_FACTS : labelled({ team: label }) }));

test('compiled access decides as the naive evaluation of the same policies does', () => {
  fc.assert(
    fc.property(policies, fc.option(policies, { nil: undefined }), nameText, targets, (roles, boundary, action, asked) => {
      const compiled = compileAccess(roles, boundary);
      const expected = naivelyAllowed(roles, boundary, action, asked);
      assert.equal(isAllowed(compiled, action, asked), expected);
      // A second question is answered from what was sorted out for the first one.
      assert.equal(isAllowed(compiled, action, asked), expected);
    }),
    { numRuns: 5_000 },
  );
});

test('whoever has all of a policy is allowed whatever it allows', () => {
  fc.assert(
    fc.property(
      policies,
      fc.option(policies, { nil: undefined }),
      policies,
      nameText,
      targets,
      (roles, boundary, granted, action, asked) => {
        const mine = compileAccess(roles, boundary);
        if (hasAllOf(mine, granted) && naivelyAllowed(granted, undefined, action, { ...asked, enclosing: [] })) {
          assert.ok(isAllowed(mine, action, { ...asked, enclosing: [] }));
        }
      },
    ),
    { numRuns: 10_000 },
  );
});

test('a monstrous policy is not compared for ever: the answer is no', () => {
  const stars = Array.from({ length: 100 }, (_, index) => `${'*a'.repeat(400)}${index}`).join(' ');
  const mine = access(allow('*', '*'), deny('x:Y', stars));
  assert.ok(!hasAllOf(mine, [policy(allow('x:*', stars.replaceAll('a', 'b')))]));
});
