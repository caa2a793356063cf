import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIssues } from '../../schema/index.ts';
import { validatePolicyDocument } from './policy-document.ts';

const STATEMENT = { effect: 'allow', actions: ['gateway:GetConsumer'], resources: ['arn:api7:gateway:gatewaygroup/<.*>'] };

function faultsOf(document: unknown): string {
  const validation = validatePolicyDocument(document);
  return validation.ok ? '' : formatIssues(validation.issues);
}

test('policies as API7 shows them are taken as they are', () => {
  const document = {
    statement: [
      STATEMENT,
      { effect: 'deny', actions: ['<.*>'], resources: ['*'] },
      {
        effect: 'allow',
        actions: ['gateway:*', 'iam:Get*'],
        resources: ['arn:api7:gateway:gatewaygroup/default/publishedservice/*', 'arn:api7:iam:user/*'],
        conditions: { service_label: { type: 'MatchLabel', options: { key: 'team', operator: 'exact_match', value: 'enterprise' } } },
      },
    ],
  };
  const validation = validatePolicyDocument(document);
  assert.ok(validation.ok);
  assert.deepEqual(validation.document, document);
});

test('what is wrong is told by its place, all at once, and hostile names are names', () => {
  assert.match(faultsOf({}), /Error at "\/statement": property "statement" is missing/);
  assert.match(faultsOf({ statement: [] }), /\/statement/);
  const faults = faultsOf({
    statement: [
      { ...STATEMENT, actions: ['GetConsumer', 'gateway:Get Consumer'] },
      { ...STATEMENT, resources: ['user/1', 'arn:api7:iam:user/<[0-9]+>'] },
      { ...STATEMENT, conditions: { weather: { type: 'MatchLabel', options: {} }, constructor: { type: 'MatchLabel', options: {} } } },
      { ...STATEMENT, conditions: { service_label: { type: 'AllOfStrings', options: [] } } },
      { ...STATEMENT, conditions: { service_label: { type: 'MatchLabel', options: { key: 'a', operator: 'exact_match' } } } },
      { ...STATEMENT, conditions: { permission_boundaries: { type: 'AllOfStrings', options: [1] } } },
      { ...STATEMENT, conditions: { service_label: null } },
    ],
  });
  for (const pointer of [
    '/statement/0/actions/0',
    '/statement/0/actions/1',
    '/statement/1/resources/0',
    '/statement/1/resources/1',
    '/statement/2/conditions/weather',
    '/statement/2/conditions/constructor',
    '/statement/3/conditions/service_label/type',
    '/statement/4/conditions/service_label/options/value',
    '/statement/5/conditions/permission_boundaries/options',
    '/statement/6/conditions/service_label',
  ]) {
    assert.ok(faults.includes(`Error at "${pointer}"`), pointer);
  }
  assert.match(faultsOf({ statement: Array.from({ length: 101 }, () => STATEMENT) }), /\/statement/);
  assert.match(faultsOf({ statement: [{ ...STATEMENT, actions: ['x'.repeat(2_000)] }] }), /\/statement\/0\/actions\/0/);
  const long = Array.from({ length: 100 }, (_, index) => `arn:api7:${'x'.repeat(900)}${index}`);
  assert.match(faultsOf({ statement: [{ ...STATEMENT, resources: long }] }), /at most 65536 characters together/);
  assert.match(faultsOf('text'), /Error at ""/);
});
