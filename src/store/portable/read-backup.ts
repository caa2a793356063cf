import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { StartError } from '../../errors/index.ts';
import type { KeyringCheck } from '../keyring-checks.ts';
import { BACKUP_FORMAT, type BackupHeader } from './backup-lines.ts';
import type { PortableColumn, PortableRow, PortableTable, StorePart } from './portable-table.ts';
import { splitLines } from './split-lines.ts';
import { RowSum } from './summarise.ts';
import { charactersIn, ROWS_AT_ONCE } from './table-parts.ts';

const LONGEST_LINE = 128 * 1024 * 1024;
const CHARACTERS_AT_ONCE = 1_000_000;
const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** A backup that is being read. */
export interface OpenedBackup {
  readonly header: BackupHeader;
  /** Ends without an error only when the backup is whole: until then nothing of it may count. @throws StartError */
  readonly parts: AsyncIterable<StorePart>;
  /** The digest's seal. Known when `parts` has ended. */
  readonly seal: () => { readonly sha256: string; readonly sealed: string };
  close(): void;
}

/**
 * Opens a backup and reads its first line.
 *
 * @throws StartError when there is no such file, it is no backup, or one of a newer version
 */
export async function openBackup(file: string): Promise<OpenedBackup> {
  const source = createReadStream(file);
  const gunzip = createGunzip();
  source.once('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  const close = (): void => {
    source.destroy();
    gunzip.destroy();
  };
  const reader = new BackupReader(file, splitLines(gunzip, LONGEST_LINE));
  try {
    return { header: await reader.header(), parts: reader.parts(), seal: () => reader.seal(), close };
  } catch (error) {
    close();
    throw error;
  }
}

class BackupReader {
  readonly #file: string;
  readonly #lines: AsyncGenerator<string>;
  readonly #hash = createHash('sha256');
  #seal: { readonly sha256: string; readonly sealed: string } | undefined;

  constructor(file: string, lines: AsyncGenerator<string>) {
    this.#file = file;
    this.#lines = lines;
  }

  async header(): Promise<BackupHeader> {
    const first = await this.#next();
    if (!isRecord(first) || first.format !== BACKUP_FORMAT) throw new StartError(`${this.#file} is not a backup of Portcullis.`);
    if (first.version !== 1) throw new StartError(`${this.#file} was made by a newer version of Portcullis: restore it with that version.`);
    const { software, schema, madeAt, keyringChecks, keyring } = first;
    if (typeof software !== 'string' || !isCount(schema) || !isCount(madeAt) || !Array.isArray(keyringChecks)) throw this.#damaged();
    const checks = keyringChecks.map((check) => this.#check(check));
    return {
      format: BACKUP_FORMAT,
      version: 1,
      software,
      schema,
      madeAt,
      keyringChecks: checks,
      ...(typeof keyring === 'string' ? { keyring } : {}),
    };
  }

  seal(): { readonly sha256: string; readonly sealed: string } {
    if (this.#seal === undefined) throw this.#damaged();
    return this.#seal;
  }

  async *parts(): AsyncGenerator<StorePart> {
    const seen = new Set<string>();
    for (;;) {
      // The digest is of what comes before the line that tells it.
      const sha256 = this.#hash.copy().digest('hex');
      const value = await this.#next();
      if (isRecord(value) && typeof value.sha256 === 'string' && typeof value.seal === 'string') {
        if (value.sha256 !== sha256 || !(await this.#lines.next()).done) throw this.#damaged();
        this.#seal = { sha256, sealed: value.seal };
        return;
      }
      const { table, highestNumber } = this.#table(value);
      if (seen.has(table.name)) throw this.#damaged();
      seen.add(table.name);
      yield { kind: 'table', table, highestNumber };
      yield* this.#rows(table);
    }
  }

  async *#rows(table: PortableTable): AsyncGenerator<StorePart> {
    const sum = new RowSum();
    let rows: PortableRow[] = [];
    let characters = 0;
    for (;;) {
      const value = await this.#next();
      const isRow = Array.isArray(value);
      if (isRow) {
        const row = this.#row(table, value);
        rows.push(row);
        characters += charactersIn(row);
      }
      if (rows.length > 0 && (!isRow || rows.length >= ROWS_AT_ONCE || characters >= CHARACTERS_AT_ONCE)) {
        sum.add(rows);
        yield { kind: 'rows', table, rows };
        rows = [];
        characters = 0;
      }
      if (isRow) continue;
      const summary = sum.summary();
      if (!isRecord(value) || value.end !== table.name || value.rows !== summary.rows || value.digest !== summary.digest)
        throw this.#damaged();
      yield { kind: 'end', table, summary };
      return;
    }
  }

  async #next(): Promise<unknown> {
    try {
      const { value: line, done } = await this.#lines.next();
      if (done || !line.endsWith('\n')) throw this.#damaged();
      this.#hash.update(line);
      return JSON.parse(line);
    } catch (error) {
      if (error instanceof StartError) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (/^E[A-Z]+$/.test(code))
        throw new StartError(`${this.#file} cannot be read (${code}): check the path and its permissions.`, { cause: error });
      throw this.#damaged(error);
    }
  }

  #check(value: unknown): KeyringCheck {
    if (!isRecord(value) || typeof value.key_id !== 'string' || typeof value.sealed !== 'string') throw this.#damaged();
    return { key_id: value.key_id, sealed: value.sealed };
  }

  #table(value: unknown): { readonly table: PortableTable; readonly highestNumber: number | undefined } {
    if (!isRecord(value) || typeof value.table !== 'string' || !NAME.test(value.table) || !Array.isArray(value.columns))
      throw this.#damaged();
    const { highestNumber } = value;
    if (highestNumber !== undefined && !isCount(highestNumber)) throw this.#damaged();
    return { table: { name: value.table, columns: value.columns.map((column) => this.#column(column)) }, highestNumber };
  }

  #column(value: unknown): PortableColumn {
    const [name, type]: readonly unknown[] = Array.isArray(value) ? value : [];
    if (typeof name !== 'string' || !NAME.test(name)) throw this.#damaged();
    if (type === 'integer' || type === 'text' || type === 'bytes' || type === 'labels') return { name, type };
    throw this.#damaged();
  }

  #row({ columns }: PortableTable, values: readonly unknown[]): PortableRow {
    if (values.length !== columns.length) throw this.#damaged();
    return values.map((value, index) => {
      const isNumber = columns[index]?.type === 'integer';
      if (value === null || (isNumber ? Number.isSafeInteger(value) : typeof value === 'string')) return value as PortableRow[number];
      throw this.#damaged();
    });
  }

  #damaged(cause?: unknown): StartError {
    return new StartError(`The backup ${this.#file} is damaged or incomplete: use another one. Nothing was changed.`, { cause });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0;
}
