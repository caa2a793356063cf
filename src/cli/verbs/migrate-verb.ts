import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { StartError } from '../../errors/index.ts';
import { systemClock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/message-of.ts';
import { systemRandom } from '../../lib/random.ts';
import type { ChainReport, MigratedStore } from '../../store/index.ts';
import { claimDataFolder } from '../../supervisor/index.ts';
import type { Configuration } from '../configuration/index.ts';
import { lockFileOf } from '../instance/instance-context.ts';
import { describeReport } from './audit-verb.ts';
import { takeStoreSecrets, tellOnTerminal } from './open-store.ts';
import { addStoreOptions, storeConfigurationOf } from './store-options.ts';

const CHAIN_FAILURE =
  'Everything was copied as it was in store.sqlite, but its audit log is not whole (see above). Look into what was changed before you go on with the database.';

/** `migrate`: the store of the data folder, copied to PostgreSQL. */
export function migrateVerb(): Command {
  const migrate = addStoreOptions(
    new Command('migrate').description(
      'Copy the store of the data folder to an empty PostgreSQL database. Stop Portcullis first; running it again does no harm.',
    ),
  ).option('--to-database-url-file <path>', 'file with the address: postgres://user:password@host:5432/database');
  migrate.addHelpText(
    'after',
    '\nThe address has a password and so no flag of its own. Without a file it is PORTCULLIS_TARGET_DATABASE_URL (or …_FILE), else DATABASE_URL (or …_FILE).',
  );
  return migrate.action(async () => {
    const { toDatabaseUrlFile } = migrate.opts<{ toDatabaseUrlFile?: string }>();
    const configuration = storeConfigurationOf(migrate);
    const { databaseUrl, targetDatabaseUrl } = takeStoreSecrets();
    const url = toDatabaseUrlFile === undefined ? (targetDatabaseUrl ?? databaseUrl) : readUrl(toDatabaseUrlFile);
    if (url === undefined)
      throw new StartError('Name the database to copy to: with --to-database-url-file FILE, or DATABASE_URL in the environment.');
    const { text, isWhole } = await migrateDataFolder(configuration, url);
    process.stdout.write(text);
    if (isWhole) return;
    process.stderr.write(`${CHAIN_FAILURE}\n`);
    process.exitCode = 1;
  });
}

async function migrateDataFolder(configuration: Configuration, url: string): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const { dataFolder, keyringFile } = configuration;
  const { hasSqliteStore, openControlPlaneStore, sqliteFileOf, FOUNDING_ACTION: founding } = await import('../../control-plane/index.ts');
  const { migrateStore, verifyAuditChain } = await import('../../store/index.ts');
  if (!hasSqliteStore(dataFolder)) {
    throw new StartError(`There is no store in ${dataFolder}: name the data folder of the control plane with --data-dir.`);
  }
  const lock = await claimDataFolder(lockFileOf(dataFolder), { waitMs: 0, clock: systemClock, onWait: () => {} });
  try {
    const target = { ...configuration.database, url, patienceMs: 0 };
    const common = { dataFolder, keyringFile, clock: systemClock, random: systemRandom, onProgress: tellOnTerminal };
    // Brings the schema up to date, and makes sure of the keyring before anything is written.
    await (await openControlPlaneStore(common)).close();
    const startedAtMs = systemClock.monotonicMs();
    const migrated = await migrateStore({ file: sqliteFileOf(dataFolder), target, clock: systemClock });
    const store = await openControlPlaneStore({ ...common, database: target });
    try {
      const audit = await verifyAuditChain(store, { founding });
      const groups = await store.listGroups();
      const seconds = (systemClock.monotonicMs() - startedAtMs) / 1000;
      return { text: report({ migrated, audit, groups, seconds, dataFolder, keyringFile }), isWhole: audit.breaks.length === 0 };
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}

function readUrl(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new StartError(`The file of --to-database-url-file cannot be read: ${messageOf(cause)}.`, {
      cause,
    });
  }
}

function report(found: {
  readonly migrated: MigratedStore;
  readonly audit: ChainReport;
  readonly groups: readonly { readonly id: string; readonly revision: number }[];
  readonly seconds: number;
  readonly dataFolder: string;
  readonly keyringFile: string;
}): string {
  const { migrated, audit, groups, seconds, dataFolder, keyringFile } = found;
  const rowsOf = (table: string): number => migrated.tables.get(table)?.rows ?? 0;
  const all = [...migrated.tables.values()].reduce((sum, { rows }) => sum + rows, 0);
  const done =
    migrated.kind === 'copied' ? `Copied and compared ${all} rows in ${seconds.toFixed(1)} s` : 'An earlier run has copied everything';
  return [
    `${done}: ${rowsOf('resources')} resources, ${rowsOf('resource_versions')} versions, ${rowsOf('users')} users, ${rowsOf('tokens')} tokens.`,
    `Revisions: ${groups.map(({ id, revision }) => `${id} ${revision}`).join(', ')}. The keyring opens the database.`,
    describeReport(audit).trimEnd(),
    `Start with DATABASE_URL from now on. The keyring stays ${keyringFile}; ${path.join(dataFolder, 'store.sqlite')} is not used any more.`,
    '',
  ].join('\n');
}
