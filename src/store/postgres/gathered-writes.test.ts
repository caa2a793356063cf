import assert from 'node:assert/strict';
import path from 'node:path';
import fc from 'fast-check';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { systemRandom } from '../../lib/random.ts';
import { isConflict, RevisionConflict, type SharedConflict, type UniqueConflict } from '../conflicts.ts';
import { AUTHOR, consumerWrite, credentialWrite, digestOf, keyOf, uniqueKey } from '../contract/sample-writes.ts';
import type { StoreHistory } from '../history.ts';
import { openKeyring } from '../keyring.ts';
import { openSqliteStore } from '../sqlite/index.ts';
import type { ResourceKey, Store, StoreTransaction } from '../store.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { PostgresConnection } from './postgres-connection.ts';

const CONSUMERS = ['alice', 'bob'].map((name) => keyOf('consumer', name));
const CREDENTIALS = ['alice', 'bob'].flatMap((name) => ['c1', 'c2'].map((id) => keyOf('credential', id, name)));
const KEYS = [...CONSUMERS, ...CREDENTIALS];
const SECRETS = ['one', 'two', 'three'];

const anyKey = fc.constantFrom(...KEYS);
const step = fc.oneof(
  fc.record({ op: fc.constant('consumer' as const), key: fc.constantFrom(...CONSUMERS) }),
  fc.record({
    op: fc.constant('credential' as const),
    key: fc.constantFrom(...CREDENTIALS),
    secret: fc.constantFrom(...SECRETS),
    share: fc.option(fc.constantFrom('a', 'b')),
    expected: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 8 }),
  }),
  fc.record({ op: fc.constantFrom('delete' as const, 'deleteAlone' as const, 'release' as const), key: anyKey }),
  fc.record({ op: fc.constantFrom('get' as const, 'lastChange' as const, 'versions' as const, 'audit' as const), key: anyKey }),
  fc.record({ op: fc.constant('versionAt' as const), key: anyKey, revision: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ op: fc.constant('holder' as const), secret: fc.constantFrom(...SECRETS) }),
  fc.record({ op: fc.constantFrom('foresee' as const, 'group' as const, 'list' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function doStep(transaction: StoreTransaction, each: Step): Promise<unknown> {
  switch (each.op) {
    case 'consumer':
      return (await transaction.putResource(consumerWrite(each.key.id))).revision;
    case 'credential': {
      const share = each.share === null ? [] : [{ space: 'counter', name: digestOf('name'), value: digestOf(each.share) }];
      const expected = each.expected === null ? {} : { expectedRevision: each.expected };
      return transaction.putResource({ ...credentialWrite(each.key.parentId, each.key.id, each.secret), shared: share, ...expected });
    }
    case 'delete':
      return transaction.deleteResource(each.key);
    case 'deleteAlone':
      return transaction.deleteResourceAlone(each.key);
    case 'release':
      return transaction.releaseValues(each.key);
    case 'get':
      return transaction.getResource(each.key);
    case 'lastChange': {
      const change = await transaction.lastChange(each.key);
      const parts = [change?.to, change?.from].map(
        (state) => state && [state.op, state.document, state.secretPointers, state.secretsSince],
      );
      return parts;
    }
    case 'versions':
      return (await transaction.listVersions(each.key, 9)).map(({ revision, op, secretsSince }) => [revision, op, secretsSince]);
    case 'audit':
      return transaction.appendAudit({
        ...{ at: 1, author: AUTHOR, action: 'x', groupId: 'default', resource: each.key.id, address: undefined, detail: {} },
      });
    case 'versionAt': {
      const version = await transaction.versionAt(each.key, each.revision);
      return version && [version.revision, version.op, version.secretsSince];
    }
    case 'holder':
      return transaction.findUnique('default', uniqueKey(each.secret));
    case 'foresee':
      return transaction.foresee({ groupId: 'default', keys: KEYS, unique: SECRETS.map(uniqueKey), revision: 1 });
    case 'group':
      return (await transaction.getGroup('default'))?.revision;
    case 'list':
      return (await transaction.selectResources({ groupId: 'default', kind: 'credential', order: 'updated', direction: 'descending' }))
        .total;
  }
}

function tell(error: unknown): unknown {
  if (!isConflict(error)) return String(error);
  const { name } = error;
  return error instanceof RevisionConflict ? [name, error.current] : [name, holderOf(error)];
}

function holderOf(error: UniqueConflict | SharedConflict): ResourceKey | string {
  // Of several that disagree any may be named.
  return error.name === 'UniqueConflict' ? error.holder : 'somebody';
}

async function runTransactions(store: Store & StoreHistory, transactions: readonly (readonly Step[])[]): Promise<unknown> {
  const told: unknown[] = [];
  for (const steps of transactions) {
    await store
      .transaction(AUTHOR, async (transaction) => {
        for (const each of steps) told.push([each.op, await doStep(transaction, each).catch(tell)]);
      })
      .catch((error: unknown) => told.push(tell(error)));
  }
  const now = await store.pageOfResources('default', undefined, 99, { secrets: 'include' });
  const past = await Promise.all(KEYS.map((key) => store.listVersions(key, 99)));
  const changes = await store.changesSince('default', 0);
  const listed = await store.selectResources({ groupId: 'default', kind: 'credential', order: 'updated', direction: 'descending' });
  const listedKeys = (await store.resourcesAt({ groupId: 'default', kind: 'credential' }, listed.rows)).map(({ key }) => key);
  return {
    ...{ told, now, changes, listedKeys, total: listed.total },
    past: past.map((versions) => versions.map(({ number, ...version }) => version)),
    intact: (await verifyAuditChain(store)).breaks,
  };
}

withPostgres('whatever a transaction does, it sees and leaves what it does on SQLite', async (context, url) => {
  const clock = new FakeClock();
  const group = { id: 'default', name: 'default', description: '' };
  const { open, query } = await makeDatabaseSchema(context, url, clock);
  const postgres = await open();
  await postgres.transaction(AUTHOR, (transaction) => transaction.putGroup(group));
  const folder = await temporaryFolder(context);
  const keyring = await openKeyring({ file: path.join(folder, 'keyring.json'), random: systemRandom });
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 14 }), { minLength: 1, maxLength: 4 }), async (transactions) => {
      await query(
        `DELETE FROM resources; DELETE FROM resource_removals; DELETE FROM resource_versions; DELETE FROM list_entries; DELETE FROM list_blocks;
         DELETE FROM resource_lists; DELETE FROM listed_resources; DELETE FROM lists_revisions; DELETE FROM history_limits;
         UPDATE gateway_groups SET revision = 0`,
      );
      const sqlite = await openSqliteStore({ file: path.join(folder, `${files++}.sqlite`), keyring, clock });
      try {
        await sqlite.transaction(AUTHOR, (transaction) => transaction.putGroup(group));
        assert.deepEqual(await runTransactions(postgres, transactions), await runTransactions(sqlite, transactions));
      } finally {
        await sqlite.close();
      }
    }),
    { numRuns: 60 },
  );
});

withPostgres('writes cost statements by the hundred, not each', async (context, url) => {
  const { open } = await makeDatabaseSchema(context, url);
  const store = await open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  const asked = [context.mock.method(PostgresConnection.prototype, 'all'), context.mock.method(PostgresConnection.prototype, 'run')];
  const statements = async (count: number, round: number): Promise<number> => {
    const before = asked.reduce((sum, { mock }) => sum + mock.callCount(), 0);
    const writes = Array.from({ length: count }, (_, number) => credentialWrite('alice', `c${number}`, `${round} ${number}`));
    await store.transaction(AUTHOR, async (transaction) => {
      const unique = writes.flatMap((write) => write.unique);
      await transaction.foresee({ groupId: 'default', keys: writes.map(({ key }) => key), unique });
      for (const write of writes) await transaction.putResource(write);
    });
    return asked.reduce((sum, { mock }) => sum + mock.callCount(), 0) - before;
  };
  // The first write of a group makes its lists.
  await statements(1, 0);
  const one = await statements(1, 1);
  assert.ok(one < 20, `one write took ${one} statements`);
  assert.ok((await statements(400, 2)) < one + 10);
  assert.ok((await statements(1_000, 3)) < 3 * one + 10);
  assert.equal((await store.listResources({ groupId: 'default', kind: 'credential' })).length, 1_000);
});
