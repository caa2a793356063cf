import assert from 'node:assert/strict';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import type { Author } from '../store.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';

const AUTHOR: Author = { id: 'token-1', name: 'deploy' };
const FOUNDING = 'installation.create';

/** What somebody who may write to the database, but has no keyring, does to hide what was written: in all tables that he needs. */
const ATTACKS: readonly (readonly [string, string])[] = [
  ['removes all entries and the end with them', `DELETE FROM audit_entries; DELETE FROM settings WHERE name LIKE 'audit-chain-%'`],
  [
    'makes it a log of before there was a chain',
    `UPDATE audit_entries SET author_name = 'somebody else', hash = NULL, previous_hash = NULL;
     DELETE FROM settings WHERE name LIKE 'audit-chain-%'`,
  ],
];

for (const [what, attack] of ATTACKS) {
  withPostgres(`on PostgreSQL somebody who ${what} is found out, after a restart and when the log has gone on`, async (context, url) => {
    const database = await makeDatabaseSchema(context, url);
    const append = (store: Awaited<ReturnType<typeof database.open>>, action: string) =>
      store.transaction(AUTHOR, (transaction) =>
        transaction.appendAudit({ at: 1, author: AUTHOR, action, groupId: undefined, resource: 'r', address: undefined, detail: {} }),
      );
    const store = await database.open();
    for (const action of [FOUNDING, 'a', 'b']) await append(store, action);
    assert.deepEqual((await verifyAuditChain(store, { founding: FOUNDING })).breaks, []);
    for (const statement of attack.split(';')) await database.query(statement);
    const restarted = await database.open();
    assert.ok((await verifyAuditChain(restarted, { founding: FOUNDING })).breaks.length > 0);
    await append(restarted, 'c');
    assert.ok((await verifyAuditChain(restarted, { founding: FOUNDING })).breaks.length > 0);
  });
}
