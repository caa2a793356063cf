import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { credentialWrite, keyOf, putAll, remove, serviceWrite } from '../contract/sample-writes.ts';
import type { RecordWrite, ResourceWrite, RevisionHints, Store, StoreTransaction, User } from '../store.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import type { BroughtBack } from './brought-back.ts';
import type { StorePlace } from './store-place.ts';
import { backedUp, clock, NOTHING } from './testing/backed-up-store.ts';

const AUTHOR = { id: 'a', name: 'a' };

/** A credential with a secret that is not unique, as passwords are. */
function passwordWrite(id: string, password: string): ResourceWrite {
  return {
    key: keyOf('credential', id, 'jill'),
    document: { id, plugins: { 'basic-auth': { username: id, password } } },
    secretPointers: ['/plugins/basic-auth/password'],
    unique: [],
    owner: { kind: 'consumer', id: 'jill' },
  };
}

function recordWrite(kind: string, id: string, secret = 's'): RecordWrite {
  return { kind, id, ownerId: undefined, name: undefined, document: { secret }, expiresAt: 0, secretPointers: ['/secret'] };
}

function write(store: Store, work: (transaction: StoreTransaction) => Promise<unknown>): Promise<unknown> {
  return store.transaction(AUTHOR, work);
}

async function changeUser(transaction: StoreTransaction, id: string, changed: Partial<User>): Promise<void> {
  const user = await transaction.getUser(id);
  if (user !== undefined) await transaction.putUser({ ...user, ...changed });
}

async function prepare(store: Store): Promise<void> {
  await putAll(store, passwordWrite('rotated', 'old'), passwordWrite('same', 'old'), passwordWrite('rewritten', 'old'));
  await write(store, async (transaction) => {
    const user = await transaction.getUser('u1');
    if (user === undefined) return;
    for (const id of ['changed', 'promoted', 'moved', 'renamed']) await transaction.putUser({ ...user, id, username: id });
    for (const id of ['one', 'other']) await transaction.putRecord(recordWrite('session', id));
    for (const id of ['rewritten', 'rotated', 'removed']) await transaction.putRecord(recordWrite('grant', id));
    const token = await transaction.getToken('t1');
    if (token !== undefined) await transaction.putToken({ ...token, id: 't2', tokenHash: Buffer.alloc(32, 3), expiresAt: 1 });
  });
}

async function changeSince(store: Store): Promise<void> {
  await putAll(store, passwordWrite('rotated', 'new'), passwordWrite('rewritten', 'old'), credentialWrite('jack', 'c1', 'another-key'));
  await write(store, async (transaction) => {
    await changeUser(transaction, 'changed', { passwordHash: 'y' });
    await changeUser(transaction, 'promoted', { roles: [] });
    await changeUser(transaction, 'moved', { externalId: 'somebody' });
    await changeUser(transaction, 'renamed', { profile: { name: 'only this' } });
    await transaction.putRecord(recordWrite('grant', 'rewritten'));
    await transaction.putRecord(recordWrite('grant', 'rotated', 'new'));
    await transaction.deleteRecord('grant', 'removed');
  });
}

const CHANGED: BroughtBack = {
  ...NOTHING,
  credentials: ['credential jack/c1 in default'],
  secrets: ['credential jill/rotated in default'],
  passwords: ['changed'],
  access: ['moved', 'promoted'],
  records: ['grant removed gone', 'grant rewritten', 'grant rotated secret'],
};

test('a restore names every key, secret, password and right that is what it was, and lets nobody be signed in', async (t) => {
  const { source, store, restore, open } = await backedUp(t, prepare);
  await changeSince(store);
  assert.equal((await store.listRecords('session')).length, 2);
  await store.close();
  const restored = await restore(source.file, { replace: true });
  assert.deepEqual(restored.broughtBack, CHANGED);
  const opened = await open(source.file);
  assert.deepEqual(await opened.listRecords('session'), []);
  assert.equal((await opened.listRecords('grant')).length, 3);
});

test('a trial names the same and changes nothing', async (t) => {
  const { source, store, restore, other } = await backedUp(t, prepare);
  await changeSince(store);
  await store.close();
  const before = readdirSync(source.folder);
  const tried = await restore(source.file, { replace: true, isTrial: true });
  assert.deepEqual([tried.broughtBack, tried.keptAs, tried.groups.map(({ id }) => id)], [CHANGED, undefined, ['default']]);
  await restore(other, { isTrial: true });
  assert.deepEqual([readdirSync(source.folder), existsSync(other)], [before, false]);
  const opened = await source.open();
  assert.equal((await opened.getUser('changed'))?.passwordHash, 'y');
});

withPostgres('on PostgreSQL a trial and a restore name the same, and only the restore changes anything', async (t, url) => {
  const { source, place, target, restore, filled } = await onPostgres(t, url);
  await changeSince(filled);
  await filled.close();
  const tried = await restore(place, { replace: true, isTrial: true });
  assert.deepEqual([tried.broughtBack, tried.keptAs], [CHANGED, undefined]);
  const untouched = await target.open({ keyringFile: source.keyringFile });
  assert.equal((await untouched.getUser('changed'))?.passwordHash, 'y');
  await untouched.close();
  const restored = await restore(place, { replace: true });
  assert.deepEqual(restored.broughtBack, CHANGED);
  const opened = await target.open({ keyringFile: source.keyringFile });
  assert.deepEqual(await opened.listRecords('session'), []);
});

test('a group that was made after the backup goes on above its revisions when it is made again', async (t) => {
  const { source, store, restore, open } = await backedUp(t);
  const make = (opened: Store) => write(opened, (transaction) => transaction.putGroup({ id: 'late', name: 'late', description: '' }));
  await make(store);
  for (let count = 0; count < 5; count += 1) await putAll(store, serviceWrite('s', { name: String(count) }, 'late'));
  const before = (await store.getGroup('late'))?.revision ?? 0;
  await store.close();
  await restore(source.file, { replace: true });
  const opened = await open(source.file);
  await make(opened);
  const revision = (await opened.getGroup('late'))?.revision ?? 0;
  assert.ok(revision > before, `${revision} > ${before}`);
  assert.equal(await opened.changesSince('late', before), undefined);
  await putAll(opened, serviceWrite('s', { name: 'new' }, 'late'));
  assert.deepEqual((await opened.changesSince('late', revision))?.changes.length, 1);
  assert.deepEqual(
    (await opened.listResources({ groupId: 'late', kind: 'service' })).map(({ key }) => key.id),
    ['s'],
  );
});

test('where no store was, a new group begins above what nobody knows of', async (t) => {
  const { restore, open, other } = await backedUp(t);
  await restore(other);
  const opened = await open(other);
  await write(opened, (transaction) => transaction.putGroup({ id: 'late', name: 'late', description: '' }));
  assert.ok(((await opened.getGroup('late'))?.revision ?? 0) > 1_000_000);
  await remove(opened, keyOf('service', 'echo'));
});

withPostgres('a control plane that lives is found though its listener is away, and one that was killed is waited for', async (t, url) => {
  const { place, restore, filled } = await onPostgres(t, url);
  const registry = (filled as RevisionHints).instanceRegistry;
  assert.ok(registry !== undefined);
  await registry.renew('history', 1_000);
  let isOver = false;
  const renewing = async (): Promise<void> => {
    while (!isOver) await registry.renew('history', 1_000);
  };
  const refused = assert.rejects(restore(place, { replace: true }), /A control plane is running on the schema/).finally(() => {
    isOver = true;
  });
  await Promise.all([refused, renewing()]);
  await registry.renew('history', 3_600_000);
  await assert.rejects(restore(place, { replace: true }), /A control plane is running on the schema/);
  await registry.renew('history', 100);
  await restore(place, { replace: true });
});

async function onPostgres(t: TestContext, url: string) {
  const { source, restore } = await backedUp(t, prepare);
  const target = await makeDatabaseSchema(t, url);
  const kept = `${target.schema.slice(0, 40)}_replaced_${Math.floor(clock.nowMs() / 1000)}`;
  t.after(() => target.query(`DROP SCHEMA IF EXISTS "${kept}" CASCADE`));
  const place: StorePlace = { kind: 'postgres', options: target.options };
  await restore(place);
  const filled = await target.open({ keyringFile: path.resolve(source.keyringFile) });
  return { source, place, target, restore, filled };
}
