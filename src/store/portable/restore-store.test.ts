import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { systemRandom } from '../../lib/random.ts';
import { keyOf, remove } from '../contract/sample-writes.ts';
import { type Keyring, openKeyring } from '../keyring.ts';
import { keyringText, newKeyEntry, parseKeyring } from '../keyring-file.ts';
import { CHAINED_SINCE, MIGRATIONS } from '../migrations/index.ts';
import { checkKeyring } from '../sqlite/check-keyring.ts';
import { openConnections } from '../sqlite/open-connections.ts';
import { SqliteDatabase } from '../sqlite/sqlite-database.ts';
import type { Store } from '../store.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { keyringOfBackup } from './restore-store.ts';
import type { StorePlace } from './store-place.ts';
import { backedUp, clock, NOTHING } from './testing/backed-up-store.ts';
import { fillSampleStore } from './testing/sample-store.ts';

async function contentsOf(store: Store) {
  const consumers = await store.listResources({ groupId: 'default', kind: 'consumer' });
  const credentials = await store.listResources({ groupId: 'default', kind: 'credential' });
  return [consumers, credentials, await store.listUsers(), await store.listTokens('u1'), (await store.getSetting('secret'))?.toString()];
}

test('a backup beside an open store is restored as it was, above all revisions that were given', async (t) => {
  const { store, file, restore, open, other } = await backedUp(t);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.doesNotMatch(gunzipSync(readFileSync(file)).toString(), /sample-key|hidden/);
  const restored = await restore(other);
  assert.equal(restored.broughtBack, undefined);
  const opened = await open(other);
  assert.deepEqual(await contentsOf(opened), await contentsOf(store));
  assert.deepEqual((await verifyAuditChain(opened, {})).breaks, []);
  assert.deepEqual(
    [(await opened.getGroup('default'))?.revision, (await opened.getSetting('history-sessions'))?.toString()],
    [1_000_003, '+'],
  );
  await fillSampleStore(opened, 'later');
  assert.equal((await opened.getGroup('default'))?.revision, 1_000_006);
});

withPostgres('a backup of either database is restored into the other', async (t, url) => {
  const { store, source, keyring, file, restore, back, open, other } = await backedUp(t);
  const target = await makeDatabaseSchema(t, url);
  const place: StorePlace = { kind: 'postgres', options: target.options };
  await restore(place);
  const large = await target.open({ keyringFile: source.keyringFile });
  assert.deepEqual(await contentsOf(large), await contentsOf(store));
  assert.equal((await large.pageOfAudit(undefined, 1))[0]?.action, 'store.restore');
  assert.deepEqual((await verifyAuditChain(large, {})).breaks, []);
  await assert.rejects(restore(place), /holds a store already \(5 resources, .*default at revision 1000003\)/);
  await back({ place, file: `${file}2` });
  await restore(other, { file: `${file}2`, keyring });
  assert.deepEqual(await contentsOf(await open(other)), await contentsOf(store));
});

withPostgres('on PostgreSQL a store is replaced while nobody runs on it, and kept as another schema', async (t, url) => {
  const { source, restore } = await backedUp(t);
  const target = await makeDatabaseSchema(t, url);
  t.after(() => target.query(`DROP SCHEMA IF EXISTS "${target.schema.slice(0, 40)}_replaced_${Math.floor(clock.nowMs() / 1000)}" CASCADE`));
  const place: StorePlace = { kind: 'postgres', options: target.options };
  await restore(place);
  const large = await target.open({ keyringFile: source.keyringFile });
  await remove(large, keyOf('credential', 'c1', 'jack'));
  const listening = Promise.withResolvers<void>();
  const end = large.watchRevisions(() => listening.resolve());
  await listening.promise;
  await assert.rejects(restore(place, { replace: true }), /A control plane is running on the schema/);
  await end();
  await large.close();
  const restored = await restore(place, { replace: true });
  assert.deepEqual(restored.broughtBack, { ...NOTHING, credentials: ['credential jack/c1 in default'] });
  const again = await target.open({ keyringFile: source.keyringFile });
  assert.equal((await again.getGroup('default'))?.revision, 1_000_005);
});

test('a store that is there is replaced only when asked, kept, and what becomes valid again is named', async (t) => {
  const { source, store, restore, open } = await backedUp(t);
  await remove(store, keyOf('credential', 'c1', 'jack'));
  await store.transaction({ id: 'a', name: 'a' }, async (transaction) => {
    const token = await transaction.getToken('t1');
    if (token !== undefined) await transaction.putToken({ ...token, revokedAt: 5 });
    await transaction.deleteUser('u1');
  });
  const before = await store.getGroup('default');
  await store.close();
  await assert.rejects(restore(source.file), /There is a store in .* already.*--replace/);
  const restored = await restore(source.file, { replace: true });
  assert.deepEqual(restored.broughtBack, {
    ...NOTHING,
    ...{ credentials: ['credential jack/c1 in default'], tokens: ['t1 (t)'], users: ['admin\u0001\0'] },
  });
  const opened = await open(source.file);
  assert.equal((await opened.getGroup('default'))?.revision, (before?.revision ?? 0) + 1);
  assert.deepEqual(await (await open(restored.keptAs ?? '')).listUsers(), []);
});

test('a damaged store is replaced too, and its files are kept', async (t) => {
  const { source, store, restore, open } = await backedUp(t);
  await store.close();
  writeFileSync(source.file, 'not a database at all');
  writeFileSync(`${source.file}-wal`, 'a torn log');
  const restored = await restore(source.file, { replace: true });
  assert.equal(restored.broughtBack, undefined);
  assert.equal(readFileSync(restored.keptAs ?? '', 'utf8'), 'not a database at all');
  assert.equal((await (await open(source.file)).listUsers()).length, 1);
});

test('a store of which only some pages are damaged is replaced too', async (t) => {
  const { source, store, restore, open } = await backedUp(t);
  await store.close();
  const database = new SqliteDatabase(source.file, { readOnly: false, busyTimeoutMs: 0 });
  database.pragma('wal_checkpoint(TRUNCATE)');
  const size = Number(database.pragma('page_size'));
  const page = database.get<{ rootpage: number }>("SELECT rootpage FROM sqlite_master WHERE name = 'resources'")?.rootpage ?? 0;
  database.close();
  const bytes = readFileSync(source.file);
  writeFileSync(source.file, bytes.fill(0xff, (page - 1) * size, page * size));
  const restored = await restore(source.file, { replace: true });
  assert.equal(restored.broughtBack, undefined);
  const opened = await open(source.file);
  assert.equal((await opened.getGroup('default'))?.revision, 1_000_003);
  assert.equal((await opened.listUsers()).length, 1);
});

test('the log of a store that has gone is not applied to the one that comes', async (t) => {
  const { store, source, restore, open, other } = await backedUp(t);
  writeFileSync(`${other}-wal`, readFileSync(`${source.file}-wal`));
  await restore(other);
  const opened = await open(other);
  assert.deepEqual(await contentsOf(opened), await contentsOf(store));
  assert.equal((await opened.getGroup('default'))?.revision, 1_000_003);
});

test('a backup that is cut off, changed or sealed by somebody else is refused, and nothing is made', async (t) => {
  const { source, file, restore, other, back } = await backedUp(t);
  const whole = readFileSync(file);
  const text = gunzipSync(whole).toString();
  const lines = text.trimEnd().split('\n');
  const variants: [string, Buffer][] = [
    ['cut', whole.subarray(0, whole.length - 20)],
    ['empty', Buffer.alloc(0)],
    ['noise', Buffer.from('not a backup')],
    ['one line less', gzipSync(`${lines.toSpliced(5, 1).join('\n')}\n`)],
    ['last line less', gzipSync(`${lines.slice(0, -1).join('\n')}\n`)],
    ['more', gzipSync(`${text}{}\n`)],
    ['changed', gzipSync(text.replace('"jill"', '"jilX"'))],
    ['no format', gzipSync('{}\n')],
    ['another seal', gzipSync(text.replace(/(?<="seal":"[^"]{30})[^"]/, (letter) => (letter === '_' ? '-' : '_')))],
  ];
  for (const [name, bytes] of variants) {
    writeFileSync(`${file}-x`, bytes);
    await assert.rejects(restore(other, { file: `${file}-x` }), /damaged or incomplete|is not a backup|was changed since/, name);
  }
  writeFileSync(`${file}-x`, gzipSync(text.replace(/"schema":\d+/, '"schema":999')));
  await assert.rejects(restore(other, { file: `${file}-x` }), /made by a newer version/);
  await assert.rejects(restore(other, { file: `${file}-none` }), /cannot be read \(ENOENT\)/);
  const stranger = await openKeyring({ file: `${source.folder}/stranger.json`, random: systemRandom });
  await assert.rejects(restore(other, { keyring: stranger }), /lacks the key [0-9a-f]+, with which the backup .* is encrypted/);
  await assert.rejects(back(), /exists already/);
  assert.deepEqual(
    readdirSync(source.folder).filter((name) => name.startsWith('other') || name.endsWith('.tmp')),
    [],
  );
});

test('the keyring goes along only when it is asked for', async (t) => {
  const { source, file, back } = await backedUp(t);
  assert.equal(await keyringOfBackup(file), undefined);
  await back({ file: `${file}2`, withKeyring: true });
  assert.equal(await keyringOfBackup(`${file}2`), readFileSync(source.keyringFile, 'utf8'));
});

test('a keyring that goes along has the keys of its state, also where they change meanwhile', async (t) => {
  const { source, keyring: own, file, back } = await backedUp(t);
  const text = readFileSync(source.keyringFile, 'utf8');
  const added = newKeyEntry(systemRandom);
  let reads = 0;
  const keyring: Keyring = {
    ...{ random: own.random, keys: own.keys, first: own.first, create: () => own.create(), refresh: () => own.refresh() },
    ...{ find: (id) => own.find(id), reload: () => own.reload() },
    get file() {
      reads += 1;
      // Read once before the state and once within it: between them another key has taken the place of the first.
      if (reads === 2) writeFileSync(source.keyringFile, keyringText([added]));
      return source.keyringFile;
    },
  };
  await back({ file: `${file}2`, withKeyring: true, keyring });
  const ids = parseKeyring((await keyringOfBackup(`${file}2`)) ?? '', 'the backup').map(({ id }) => id);
  assert.deepEqual(ids, [added.id, ...parseKeyring(text, 'before').map(({ id }) => id)]);
});

test('a restore is in the audit log of the restored store before anybody opens it', async (t) => {
  const { store, source, restore, open, other, file } = await backedUp(t);
  await restore(other);
  const fresh = await open(other);
  const [entry] = await fresh.pageOfAudit(undefined, 1);
  assert.deepEqual([entry?.action, entry?.resource, entry?.author.id], ['store.restore', path.basename(file), 'cli']);
  assert.deepEqual(entry?.detail, { made_at: Math.floor(clock.nowMs() / 1000), kept_as: null });
  await store.close();
  const { keptAs } = await restore(source.file, { replace: true });
  const replaced = await open(source.file);
  assert.equal((await replaced.pageOfAudit(undefined, 1))[0]?.detail.kept_as, keptAs);
  assert.deepEqual((await verifyAuditChain(replaced, {})).breaks, []);
});

test('a restore of a backup from before audit logs were chained is chained with what the log held', async (t) => {
  const { source, keyring, back, restore, open, other } = await backedUp(t);
  const old = `${source.folder}/old.db`;
  const { writer, reader } = await openConnections({ file: old, clock, migrations: MIGRATIONS.slice(0, CHAINED_SINCE - 1) });
  await checkKeyring(writer, keyring, old, 1);
  writer.run("INSERT INTO audit_entries (at, author_id, author_name, action, resource, detail) VALUES (1, 'a', 'a', 'a', 'r', '{}')");
  reader.close();
  writer.close();
  await back({ place: { kind: 'sqlite', file: old }, file: `${old}.gz` });
  await restore(other, { file: `${old}.gz` });
  const opened = await open(other);
  assert.deepEqual(
    (await opened.pageOfAudit(undefined, 5)).map(({ action }) => action),
    ['store.restore', 'a'],
  );
  assert.deepEqual((await verifyAuditChain(opened, {})).breaks, []);
});
