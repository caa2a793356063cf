import { existsSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../../errors/index.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { AuditLog } from '../sqlite/audit-log.ts';
import { beginImmediate } from '../sqlite/begin-immediate.ts';
import { startFailure } from '../sqlite/failures.ts';
import { openConnections } from '../sqlite/open-connections.ts';
import { SqliteDatabase, SqliteFailure } from '../sqlite/sqlite-database.ts';
import { fillSqlite } from './fill-sqlite.ts';
import { finishRestore } from './finish-restore.ts';
import type { ChainEntry } from './note-restore.ts';
import type { RestoredStore, RestoreInput } from './restore-store.ts';
import { sqliteRunner } from './sql-runner.ts';

/** Restores into a file beside, which takes the place of the store when it is whole. The data folder must have been claimed. */
export async function restoreIntoSqlite(file: string, input: RestoreInput): Promise<Omit<RestoredStore, 'madeAt'>> {
  const isThere = existsSync(file);
  if (isThere && !input.replace) {
    throw new StartError(
      `There is a store in ${path.dirname(file)} already: name an empty folder with --data-dir, or add --replace, which keeps a copy.`,
    );
  }
  const temporary = `${file}.restoring`;
  await removeDatabase(temporary);
  try {
    // Before the other one is read: whatever lies in its WAL must come into the file.
    const isReadable = isThere && checkpoint(file);
    const kept = `${file}.replaced-${Math.floor(input.clock.nowMs() / 1000)}`;
    const keptAs = isThere ? kept : undefined;
    const filled = await fill(temporary, { replaced: isReadable ? file : undefined, keptAs }, input);
    if (input.isTrial) return { ...filled, keptAs: undefined };
    await moveLogAway(file, kept);
    if (isThere) await keep(file, kept);
    await syncFile(temporary);
    await rename(temporary, file);
    await syncFolder(path.dirname(file));
    return { ...filled, keptAs };
  } catch (error) {
    throw startFailure(error, temporary);
  } finally {
    await removeDatabase(temporary);
  }
}

/** The store that is replaced: where it can be read, and where it will be kept. */
interface Replaced {
  readonly replaced: string | undefined;
  readonly keptAs: string | undefined;
}

async function fill(
  temporary: string,
  place: Replaced,
  input: RestoreInput,
): Promise<Pick<RestoredStore, 'tables' | 'broughtBack' | 'groups'>> {
  const migrations = MIGRATIONS.filter(({ version }) => version <= input.schema);
  const { writer, reader } = await openConnections({ file: temporary, clock: input.clock, migrations });
  try {
    await beginImmediate(writer);
    const tables = await fillSqlite(writer, input.parts);
    writer.execute('COMMIT');
    return { tables, ...(await finish(writer, place, input)) };
  } finally {
    reader.close();
    writer.close();
  }
}

/** Leaves the store that is replaced alone as soon as some of it turns out to be damaged: that is what backups are for. */
async function finish(
  writer: SqliteDatabase,
  { replaced, keptAs }: Replaced,
  input: RestoreInput,
): Promise<Pick<RestoredStore, 'broughtBack' | 'groups'>> {
  if (replaced !== undefined) writer.run('ATTACH ? AS replaced', replaced);
  await beginImmediate(writer);
  try {
    const chain: ChainEntry = async (entry, author, at) => {
      const log = new AuditLog(writer, input.cipher);
      log.append(entry, author);
      log.settle(at);
    };
    const schema = replaced === undefined ? undefined : 'replaced';
    const finished = await finishRestore(sqliteRunner(writer), schema, input, { keptAs, chain });
    writer.execute('COMMIT');
    return finished;
  } catch (error) {
    writer.execute('ROLLBACK');
    const isDamage = error instanceof SyntaxError || (error instanceof SqliteFailure && DAMAGE.test(error.code));
    if (replaced === undefined || !isDamage) throw error;
    writer.execute('DETACH replaced');
    return finish(writer, { replaced: undefined, keptAs }, input);
  }
}

const DAMAGE = /^SQLITE_(CORRUPT|NOTADB|IOERR)/;

/** Whether the database can be read. */
function checkpoint(file: string): boolean {
  let database: SqliteDatabase | undefined;
  try {
    database = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 5_000 });
    database.pragma('wal_checkpoint(TRUNCATE)');
    // Older schemas have these tables too.
    database.get('SELECT 1 FROM gateway_groups, tokens, users, unique_values LIMIT 1');
    return true;
  } catch {
    return false;
  } finally {
    database?.close();
  }
}

/** A WAL that is still there belongs to the store that goes, or to one that has gone, and would be applied to the one that comes. */
async function moveLogAway(file: string, kept: string): Promise<void> {
  for (const end of ['-wal', '-shm']) if (existsSync(`${file}${end}`)) await rename(`${file}${end}`, `${kept}${end}`);
}

// The name stays taken all the time: whoever starts after a power cut in between would find no store, and make a new one.
async function keep(file: string, kept: string): Promise<void> {
  await link(file, kept).catch(async (error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new StartError(`${kept} is there already: start again in a second.`);
    }
    await rename(file, kept);
  });
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeDatabase(file: string): Promise<void> {
  for (const end of ['', '-wal', '-shm']) await rm(`${file}${end}`, { force: true });
}
