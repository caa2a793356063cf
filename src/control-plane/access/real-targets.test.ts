import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAccess, isAllowed, isAllowedForAll, type Target } from './access.ts';
import { hasAllOf } from './has-all-of.ts';
import type { PolicyDocument, Statement } from './policy-document.ts';
import { gatewayGroupName, gatewayTarget } from './resource-names.ts';

const GROUP = gatewayGroupName('g');
const NO_FACTS = new Map<string, never>();

/** Resources as people write them: a group, all of it, one thing in it, and what lies across. */
const resources = fc.array(
  fc.constantFrom(
    ...[
      '*',
      'arn:*',
      GROUP,
      `${GROUP}*`,
      `${GROUP}/*`,
      gatewayGroupName('*'),
      gatewayGroupName('h'),
      `${gatewayGroupName('*')}/consumer/b`,
    ],
    ...[
      `${GROUP}/consumer/*`,
      `${GROUP}/consumer/b`,
      `${GROUP}/consumer/b*`,
      `${GROUP}/publishedservice/*`,
      `${GROUP}/publishedservice/b`,
      '*/b',
    ],
  ),
  { minLength: 1, maxLength: 2 },
);
const actions = fc.array(
  fc.constantFrom('*', 'gateway:*', 'gateway:Get*', 'gateway:*Consumer', 'gateway:GetConsumer', 'gateway:GetPublishedService'),
  {
    minLength: 1,
    maxLength: 2,
  },
);
const statements = fc.record<Statement>({ effect: fc.constantFrom('allow', 'allow', 'deny'), actions, resources });
const policies = fc.array(
  fc.array(statements, { minLength: 1, maxLength: 3 }).map((statement): PolicyDocument => ({ statement })),
  { minLength: 1, maxLength: 2 },
);
const boundaries = fc.option(policies, { nil: undefined, freq: 3 });
/** Everything that the policies above can speak of, with the action that reads it. */
const TARGETS: readonly (readonly [string, Target])[] = ['g', 'h'].flatMap((group) =>
  ['PublishedService', 'Consumer', 'Certificate'].flatMap((noun) =>
    ['a', 'b', 'bb'].map((id) => [`gateway:Get${noun}`, gatewayTarget(group, noun, id, NO_FACTS)] as const),
  ),
);

test('whoever may give a policy away is allowed, of every real thing, whatever the policy allows', () => {
  fc.assert(
    fc.property(policies, boundaries, policies, (roles, boundary, granted) => {
      const mine = compileAccess(roles, boundary);
      if (!hasAllOf(mine, granted)) return;
      const theirs = compileAccess(granted, undefined);
      for (const [action, target] of TARGETS) {
        assert.ok(!isAllowed(theirs, action, target) || isAllowed(mine, action, target), `${action} ${target.names.join(' ')}`);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('who may see all of a kind in a group may see each: a deny of the group is not forgotten', () => {
  fc.assert(
    fc.property(policies, boundaries, (roles, boundary) => {
      const mine = compileAccess(roles, boundary);
      for (const [action, all, noun] of [
        ['gateway:GetPublishedService', `${GROUP}/publishedservice/*`, 'PublishedService'],
        ['gateway:GetConsumer', `${GROUP}*`, 'Consumer'],
        ['gateway:GetCertificate', `${GROUP}*`, 'Certificate'],
      ] as const) {
        if (!isAllowedForAll(mine, action, all)) continue;
        for (const id of ['a', 'b', 'bb']) assert.ok(isAllowed(mine, action, gatewayTarget('g', noun, id, NO_FACTS)), `${action} ${id}`);
      }
    }),
    { numRuns: 20_000 },
  );
});
