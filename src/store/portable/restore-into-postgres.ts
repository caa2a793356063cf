import { StartError } from '../../errors/index.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { AuditLog } from '../postgres/audit-log.ts';
import { waitForLeases } from '../postgres/control-plane-leases.ts';
import { parseDatabaseUrl } from '../postgres/database-url.ts';
import { startFailure } from '../postgres/failures.ts';
import type { PostgresStoreOptions } from '../postgres/index.ts';
import { migrateSchema, refuseUnfitServer } from '../postgres/migrate.ts';
import type { PostgresConnection } from '../postgres/postgres-connection.ts';
import { presenceKey, runTransaction } from '../postgres/run-transaction.ts';
import { readSchemaState, refuseForeignSchema } from '../postgres/schema-version.ts';
import { describeContents } from './describe-contents.ts';
import { fillPostgres } from './fill-postgres.ts';
import { finishRestore } from './finish-restore.ts';
import { LONG_TRANSACTION, openForLong } from './long-transaction.ts';
import type { ChainEntry } from './note-restore.ts';
import type { RestoredStore, RestoreInput } from './restore-store.ts';
import { postgresRunner } from './sql-runner.ts';

/** Restores in one transaction; a store that stands there goes to another schema of the same database in it. */
export async function restoreIntoPostgres(options: PostgresStoreOptions, input: RestoreInput): Promise<Omit<RestoredStore, 'madeAt'>> {
  const database = openForLong(options);
  const { description } = database.options.address;
  const migrations = MIGRATIONS.filter(({ version }) => version <= input.schema);
  const nowSeconds = Math.floor(input.clock.nowMs() / 1000);
  try {
    await database.lend((connection) => refuseUnfitServer(connection, description));
    return await runTransaction(database, options.timeoutMs, async (connection) => {
      await connection.execute(LONG_TRANSACTION);
      const keptAs = await makePlace(connection, { schema: options.schema, description, replace: input.replace, nowSeconds });
      await migrateSchema(connection, { database: database.options, clock: input.clock, migrations });
      const tables = await fillPostgres(connection, input.parts);
      const replaced = keptAs === undefined ? undefined : `"${keptAs}"`;
      const chain: ChainEntry = async (entry, author, at) => {
        const log = new AuditLog(input.cipher);
        log.append(entry, author);
        await log.prepare(connection);
        await log.write(connection, at, true);
      };
      const restored = { tables, keptAs, ...(await finishRestore(postgresRunner(connection), replaced, input, { keptAs, chain })) };
      if (input.isTrial) throw new TrialEnd(restored);
      return restored;
    });
  } catch (error) {
    if (error instanceof TrialEnd) return { ...error.restored, keptAs: undefined };
    throw startFailure(error, parseDatabaseUrl(options.url));
  } finally {
    await database.close();
  }
}

/** Takes the transaction back. */
class TrialEnd extends Error {
  readonly restored: Omit<RestoredStore, 'madeAt'>;

  constructor(restored: Omit<RestoredStore, 'madeAt'>) {
    super('the trial is over');
    this.restored = restored;
  }
}

interface Place {
  readonly schema: string;
  readonly description: string;
  readonly replace: boolean;
  readonly nowSeconds: number;
}

/** Moves what stands there out of the way. Returns its new name. @throws StartError */
async function makePlace(connection: PostgresConnection, { schema, description, replace, nowSeconds }: Place): Promise<string | undefined> {
  const state = await readSchemaState(connection, schema);
  if (state.kind === 'empty') return undefined;
  refuseForeignSchema(state, { schema, database: description }, Number.POSITIVE_INFINITY);
  if (!replace) {
    const contents = await describeContents(connection);
    throw new StartError(
      `The schema "${schema}" of ${description} holds a store already (${contents}): name an empty database, another schema with --database-schema, or add --replace, which keeps it under another name.`,
    );
  }
  const free = await connection.get<{ alone: boolean }>(`SELECT pg_try_advisory_xact_lock(${presenceKey(schema)}) AS alone`);
  // The lock goes with the connection that listens, which may be lost for a while; the lease does not.
  if (free?.alone !== true || !(await waitForLeases(connection))) {
    throw new StartError(
      `A control plane is running on the schema "${schema}" of ${description}: stop all of them first, on every machine.`,
    );
  }
  const keptAs = `${schema.slice(0, 40)}_replaced_${nowSeconds}`;
  await connection.execute(`ALTER SCHEMA "${schema}" RENAME TO "${keptAs}"`);
  return keptAs;
}
