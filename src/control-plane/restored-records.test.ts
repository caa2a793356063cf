import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../lib/json.ts';
import type { StoredRecord } from '../store/index.ts';
import { describeRestoredRecord, KINDS_ENDED_BY_RESTORE } from './restored-records.ts';

const NOW = { nowSeconds: 1_000, hasFormerSecret: false };

function record(kind: string, document: JsonObject, changed: Partial<StoredRecord> = {}): StoredRecord {
  return {
    ...{ kind, id: 'i1', ownerId: 'default', name: undefined, document, expiresAt: 2_000, version: 1, createdAt: 1, updatedAt: 1 },
    ...changed,
  };
}

const TOKEN = { name: 'rack 1', expiresAt: 2_000, maxUses: 3, uses: 0, revokedAt: null };

test('a join token is named when gateways could not join by it any more and can again', () => {
  const describe = (restored: JsonObject, present: JsonObject | undefined) =>
    describeRestoredRecord(record('join-token', restored), present && record('join-token', present), NOW);
  assert.equal(describe(TOKEN, undefined), 'join token rack 1 of default');
  assert.equal(describe(TOKEN, { ...TOKEN, revokedAt: 5 }), 'join token rack 1 of default');
  assert.equal(describe(TOKEN, { ...TOKEN, uses: 3 }), 'join token rack 1 of default');
  assert.equal(describe(TOKEN, { ...TOKEN, uses: 1 }), undefined);
  assert.equal(describe({ ...TOKEN, expiresAt: 900 }, undefined), undefined);
});

test('an instance is named when it was revoked since, not when its certificate was renewed', () => {
  const describe = (present: JsonObject) =>
    describeRestoredRecord(record('gateway-instance', { revokedAt: null }), record('gateway-instance', present), NOW);
  assert.match(describe({ revokedAt: 7 }) ?? '', /^gateway instance i1, which was revoked$/);
  assert.equal(describe({ revokedAt: null, certificates: [] }), undefined);
});

test('roles, policies and login options are named when they were removed or changed, invites when they were used', () => {
  const role = record('role', { policies: ['p'] }, { name: 'deployers' });
  assert.equal(describeRestoredRecord(role, undefined, NOW), 'role deployers, which was removed');
  assert.equal(describeRestoredRecord(role, { ...role, document: { policies: [] } }, NOW), 'role deployers as it was');
  assert.equal(describeRestoredRecord(role, role, NOW), undefined);
  const option = record('login_option', { name: 'company' });
  assert.equal(describeRestoredRecord(option, option, { ...NOW, hasFormerSecret: true }), 'login option company, its former secret');
  assert.equal(describeRestoredRecord(record('invite', {}, { ownerId: 'u1' }), undefined, NOW), 'invite of the user u1');
  assert.equal(describeRestoredRecord(record('invite', {}, { expiresAt: 900 }), undefined, NOW), undefined);
});

test('sessions are not brought back', () => {
  assert.deepEqual(KINDS_ENDED_BY_RESTORE, ['session']);
});
