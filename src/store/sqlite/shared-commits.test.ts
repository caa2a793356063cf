import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AUTHOR, serviceWrite } from '../contract/sample-writes.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';

const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** Commits in a write-ahead log (https://www.sqlite.org/fileformat2.html#walformat): the last frame of each tells the size of the database. */
async function countCommits(databaseFile: string): Promise<number> {
  const wal = await readFile(`${databaseFile}-wal`);
  const pageBytes = wal.readUInt32BE(8);
  let commits = 0;
  for (let at = WAL_HEADER_BYTES; at + FRAME_HEADER_BYTES <= wal.length; at += FRAME_HEADER_BYTES + pageBytes) {
    if (wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

test('ten writers at once are ten revisions and one commit', async (t) => {
  const { open, file } = await makeDatabaseFolder(t);
  const store = await open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  const before = await countCommits(file);
  const stored = await Promise.all(
    Array.from({ length: 10 }, (_, number) =>
      store.transaction(AUTHOR, (transaction) => transaction.putResource(serviceWrite(`s${number}`))),
    ),
  );
  assert.deepEqual(
    stored.map(({ revision }) => revision),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.equal((await countCommits(file)) - before, 1);
});
