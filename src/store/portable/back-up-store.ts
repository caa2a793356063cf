import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { FieldCipher } from '../field-cipher.ts';
import { joinKeyrings } from '../join-keyrings.ts';
import type { Keyring } from '../keyring.ts';
import { BACKUP_FORMAT, type BackupHeader, backupLines, SEAL_CONTEXT } from './backup-lines.ts';
import type { StorePart } from './portable-table.ts';
import { type StorePlace, withStoreState } from './store-place.ts';
import { writeFileDurably } from './write-file-durably.ts';

/**
 * Writes one state of a store to a new file (mode 0600), complete and on the disk or not at all, beside control planes that go on writing. The
 * same format for all databases. Returns how many rows of each table went into it.
 *
 * @throws StartError when the file exists or cannot be written, or the store cannot be read
 */
export async function backUpStore(options: {
  readonly place: StorePlace;
  readonly file: string;
  readonly keyring: Keyring;
  readonly withKeyring: boolean;
  readonly software: string;
  readonly clock: Clock;
}): Promise<ReadonlyMap<string, number>> {
  const { place, file, keyring, clock } = options;
  const cipher = new FieldCipher(keyring);
  const keysBefore = options.withKeyring ? await readFile(keyring.file, 'utf8') : undefined;
  const rows = new Map<string, number>();
  await withStoreState(place, async ({ schema, keyringChecks, currentKeyId, parts }) => {
    // One that the backup names: a restore without it then says which key is missing.
    if (currentKeyId !== undefined) cipher.sealWith(currentKeyId);
    // A key that came into the file meanwhile, and one that went from it, may both be needed for this state.
    const keys = keysBefore === undefined ? {} : { keyring: await withKeysNow(keyring.file, keysBefore) };
    const header: BackupHeader = {
      ...{ format: BACKUP_FORMAT, version: 1, software: options.software, schema },
      ...{ madeAt: Math.floor(clock.nowMs() / 1000), keyringChecks, ...keys },
    };
    await writeFileDurably(
      file,
      backupLines(header, counted(parts, rows), (digest) => cipher.seal(Buffer.from(digest), SEAL_CONTEXT)),
    );
  });
  return rows;
}

async function withKeysNow(file: string, before: string): Promise<string> {
  return joinKeyrings({ text: await readFile(file, 'utf8'), file }, before);
}

async function* counted(parts: AsyncIterable<StorePart>, rows: Map<string, number>): AsyncGenerator<StorePart> {
  for await (const part of parts) {
    if (part.kind === 'end') rows.set(part.table.name, part.summary.rows);
    yield part;
  }
}
