import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyDigest, ReferencedKey, SnapshotItem } from '../schema/snapshot.ts';
import { type ConfigurationPiece, findWithdrawals } from './withdrawals.ts';

const DIGEST = Buffer.alloc(32, 1).toString('base64');

function credential(...keys: readonly KeyDigest[]): SnapshotItem {
  return { kind: 'credential', id: 'c', consumer: 'jack', value: {}, keys };
}

function basicAuth(data: KeyDigest['data']): KeyDigest {
  return { plugin: 'basic-auth', digest: DIGEST, ...(data === undefined ? {} : { data }) };
}

async function* stream(...pieces: readonly ConfigurationPiece[]): AsyncGenerator<ConfigurationPiece, void> {
  yield* pieces;
}

/** What is taken away from `before` when a revision that puts `after` is refused. */
function withdrawn(before: SnapshotItem, after: SnapshotItem) {
  return findWithdrawals(
    stream({ kind: 'changes', changes: [{ op: 'put', item: after }] }),
    stream({ kind: 'snapshot' }, { kind: 'items', items: [before] }),
  );
}

test('a password that a refused revision replaces is taken away, though the user name stays', async () => {
  const old = basicAuth({ password_digest: 'old' });
  const key: KeyDigest = { plugin: 'key-auth', digest: DIGEST };
  assert.deepEqual(await withdrawn(credential(old, key), credential(basicAuth({ password_digest: 'new' }), key)), [
    { op: 'put', item: credential(key) },
  ]);
  assert.deepEqual(await withdrawn(credential(old), credential(basicAuth(undefined))), [{ op: 'put', item: credential() }]);
});

test('a credential that stays what it is loses nothing, whatever the order of the names in its data', async () => {
  const before = basicAuth({ algorithm: 'HS256', secret: 's', nested: { a: 1, b: [1, 2] } });
  const after = basicAuth({ nested: { b: [1, 2], a: 1 }, secret: 's', algorithm: 'HS256' });
  assert.deepEqual(await withdrawn(credential(before), credential(after)), []);
});

test('global rules and plugin metadata are never withdrawn: they are no way in', async () => {
  const rule: SnapshotItem = { kind: 'global_rule', id: 'cors', value: { plugins: { cors: {} } } };
  const refused = stream({ kind: 'changes', changes: [{ op: 'delete', name: { kind: 'global_rule', parentId: '', id: 'cors' } }] });
  assert.deepEqual(await findWithdrawals(refused, stream({ kind: 'items', items: [rule] })), []);
});

test('a credential whose key is kept elsewhere is taken away like any other when a refused revision has it no more', async () => {
  const reference: ReferencedKey = { plugin: 'key-auth', unique: { reference: '$env://KEY' } };
  const holding = (...references: readonly ReferencedKey[]): SnapshotItem =>
    ({ ...credential(basicAuth(undefined)), references }) as SnapshotItem;
  assert.deepEqual(await withdrawn(holding(reference), holding(reference)), []);
  assert.deepEqual(await withdrawn(holding(reference), holding({ ...reference, unique: { reference: '$env://OTHER' } })), [
    { op: 'put', item: holding() },
  ]);
  assert.deepEqual(await withdrawn(holding(reference), credential(basicAuth(undefined))), [{ op: 'put', item: holding() }]);
});
