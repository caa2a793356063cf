import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import { FieldCipher } from '../field-cipher.ts';
import type { Keyring } from '../keyring.ts';
import { reviewKeyring } from '../keyring-checks.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import type { Author } from '../store.ts';
import { SEAL_CONTEXT } from './backup-lines.ts';
import type { BroughtBack } from './brought-back.ts';
import type { DescribeRestoredRecord } from './brought-back-records.ts';
import type { RevisionRow, SessionSetting } from './lead-on.ts';
import type { StorePart, TableSummary } from './portable-table.ts';
import { type OpenedBackup, openBackup } from './read-backup.ts';
import { restoreIntoPostgres } from './restore-into-postgres.ts';
import { restoreIntoSqlite } from './restore-into-sqlite.ts';
import type { StorePlace } from './store-place.ts';

/** What a restore did, or would do. */
export interface RestoredStore {
  /** Unix seconds. */
  readonly madeAt: number;
  readonly tables: ReadonlyMap<string, TableSummary>;
  /** Where the store that stood there is kept: a file, or a schema. */
  readonly keptAs: string | undefined;
  /** What was valid at the backup and no longer was in the store that stood there; undefined when there was none, or it cannot be read. */
  readonly broughtBack: BroughtBack | undefined;
  /** Where the groups go on. */
  readonly groups: readonly RevisionRow[];
}

/** What those who know the meaning of settings and records say of a restore. */
export interface RestoreRules {
  readonly sessions: SessionSetting;
  /** Kinds of records that are not brought back. */
  readonly endedKinds: readonly string[];
  readonly describeRecord: DescribeRestoredRecord;
}

/** What both kinds of databases are filled with. */
export interface RestoreInput extends RestoreRules {
  readonly file: string;
  /** Unix seconds. */
  readonly madeAt: number;
  /** Who restores, as the audit log names him. */
  readonly author: Author;
  /** The version of the schema whose tables `parts` are. */
  readonly schema: number;
  /** Throws before its end unless the backup is whole and was made with the keyring. */
  readonly parts: AsyncIterable<StorePart>;
  readonly cipher: FieldCipher;
  readonly replace: boolean;
  /** Does everything but the last step: nothing is changed. */
  readonly isTrial: boolean;
  readonly clock: Clock;
}

/**
 * Puts the store of a backup where there is none, or with `replace` in the place of another one, which is kept: all of it or, when the backup
 * is torn, damaged, of a newer version or of another keyring, nothing. What runs on the store must have been stopped. Migrations that the
 * backup lacks are run on opening. Revisions go on above those that were given. What is restored has the restore in its audit log. A trial finds out all of this, and changes nothing.
 *
 * @throws StartError; nothing is changed then
 */
export async function restoreStore(options: {
  readonly place: StorePlace;
  readonly file: string;
  readonly keyring: Keyring;
  readonly rules: RestoreRules;
  readonly author: Author;
  readonly replace: boolean;
  readonly isTrial: boolean;
  readonly clock: Clock;
}): Promise<RestoredStore> {
  const { place, file, keyring } = options;
  const backup = await openBackup(file);
  try {
    const { schema, keyringChecks, madeAt, software } = backup.header;
    if (schema > (MIGRATIONS.at(-1)?.version ?? 0)) {
      throw new StartError(`The backup ${file} was made by a newer version of Portcullis (${software}): restore it with that version.`);
    }
    if (keyringChecks.length === 0)
      throw new StartError(`The backup ${file} names no key of a keyring: use another one. Nothing was changed.`);
    const cipher = new FieldCipher(keyring);
    const remedy = 'name the keyring that belongs to it with --keyring-file';
    await reviewKeyring(cipher, keyring, { database: `the backup ${file}`, remedy }, keyringChecks);
    const input = { ...options, ...options.rules, cipher, schema, madeAt, parts: sealedParts(backup, cipher, file) };
    const done = place.kind === 'sqlite' ? await restoreIntoSqlite(place.file, input) : await restoreIntoPostgres(place.options, input);
    return { madeAt, ...done };
  } finally {
    backup.close();
  }
}

/** The text of the keyring that a backup carries, where it does. @throws StartError */
export async function keyringOfBackup(file: string): Promise<string | undefined> {
  const backup = await openBackup(file);
  backup.close();
  return backup.header.keyring;
}

async function* sealedParts(backup: OpenedBackup, cipher: FieldCipher, file: string): AsyncGenerator<StorePart> {
  yield* backup.parts;
  const { sha256, sealed } = backup.seal();
  let opened: string | undefined;
  try {
    opened = cipher.open(sealed, SEAL_CONTEXT).toString();
  } catch {
    opened = undefined;
  }
  if (opened !== sha256) throw new StartError(`The backup ${file} was changed since it was made: use another one. Nothing was changed.`);
}
