import { createHash } from 'node:crypto';
import type { KeyringCheck } from '../keyring-checks.ts';
import type { StorePart } from './portable-table.ts';

/** What a backup says of itself in its first line. */
export interface BackupHeader {
  readonly format: typeof BACKUP_FORMAT;
  readonly version: 1;
  readonly software: string;
  /** The version of the schema whose tables follow. */
  readonly schema: number;
  /** Unix seconds. */
  readonly madeAt: number;
  /** The keys that open it, each proven by a known text. */
  readonly keyringChecks: readonly KeyringCheck[];
  /** The text of the keyring's file, where it was asked for. */
  readonly keyring?: string;
}

/** Marks the first line. */
export const BACKUP_FORMAT = 'portcullis-backup';
/** Where the digest of a backup is sealed. */
export const SEAL_CONTEXT: readonly string[] = ['backup'];

/**
 * The lines of a backup: the header; for each table `{"table":…,"columns":[[name,type],…]}`, one array for each row and
 * `{"end":…,"rows":…,"digest":…}`; at last `{"sha256":…,"seal":…}`, the digest of all bytes before, and the same sealed by the keyring, so
 * that nobody else can make one.
 */
export async function* backupLines(
  header: BackupHeader,
  parts: AsyncIterable<StorePart>,
  seal: (digest: string) => string,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const hashed = (text: string): string => {
    hash.update(text);
    return text;
  };
  yield hashed(line(header));
  for await (const part of parts) yield hashed(linesOfPart(part));
  const sha256 = hash.digest('hex');
  yield line({ sha256, seal: seal(sha256) });
}

function linesOfPart(part: StorePart): string {
  switch (part.kind) {
    case 'table': {
      const { name, columns } = part.table;
      return line({ table: name, columns: columns.map((column) => [column.name, column.type]), highestNumber: part.highestNumber });
    }
    case 'rows':
      return part.rows.map(line).join('');
    case 'end':
      return line({ end: part.table.name, ...part.summary });
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
