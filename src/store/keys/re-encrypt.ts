import { type ChangeKeysOptions, changeKeys, readState } from './change-keys.ts';
import { keyIdsOf, SEALED_TABLES, type SealedRow, type SealedTable } from './sealed-row.ts';

/** Rows in one transaction: it holds the write lock of all control planes. */
const ROWS_AT_ONCE = 100;
const ROWS_PER_PAGE = 1_000;
/** Longer than a writer of another process pauses between two attempts to get the lock, so that each gets his turn. */
const PAUSE_MS = 25;

/** What was encrypted anew. */
export interface ReEncrypted {
  readonly keyId: string;
  readonly values: number;
  /** Where values lie that cannot be opened, and stay as they are. */
  readonly damaged: readonly string[];
}

/** Is told after each transaction how many values were encrypted anew up to now. */
export type ReEncryptionListener = (progress: { readonly table: SealedTable; readonly values: number }) => void;

/**
 * Encrypts everything anew that is not encrypted with the key that encrypts now, a few rows at a time, beside control planes that go on writing. Revisions,
 * versions and times stay as they are. A run that was cut off has done what it had done; the next one passes over that. Audited at its end.
 *
 * Nobody encrypts with another key any more once this one was taken into use, so that one pass through the tables finds all.
 */
export async function reEncrypt(
  options: ChangeKeysOptions & { readonly onProgress?: ReEncryptionListener | undefined },
): Promise<ReEncrypted> {
  const { store, onProgress } = options;
  const { current } = await readState(store);
  const damaged: string[] = [];
  let values = 0;
  for (const table of SEALED_TABLES) {
    for await (const page of pagesOf(options, table)) {
      const rows = page.filter((row) => keyIdsOf(row).some((id) => id !== current) || keyIdsOf(row).length === 0);
      for (let index = 0; index < rows.length; index += ROWS_AT_ONCE) {
        const done = await changeKeys(options, ({ keys }) => keys.reseal(rows.slice(index, index + ROWS_AT_ONCE)));
        values += done.values;
        damaged.push(...done.damaged);
        onProgress?.({ table, values });
        await options.pause(PAUSE_MS);
      }
    }
  }
  await changeKeys(options, async ({ state, become }) => {
    // Somebody may have rotated once more meanwhile: that one is not done.
    const isUnfinished = state.isUnfinished && state.current !== current;
    const detail = { values, cannot_be_opened: damaged.length };
    if (values > 0 || damaged.length > 0 || state.isUnfinished !== isUnfinished) {
      await become({ ...state, isUnfinished }, { action: 'keyring.re_encrypt', keyId: current, detail });
    }
  });
  return { keyId: current, values, damaged };
}

/** A table in pages. */
export async function* pagesOf({ store }: Pick<ChangeKeysOptions, 'store'>, table: SealedTable): AsyncGenerator<readonly SealedRow[]> {
  let after: SealedRow | undefined;
  for (;;) {
    const page = await store.keys.pageOfSealed(table, after, ROWS_PER_PAGE);
    if (page.length > 0) yield page;
    after = page.at(-1);
    if (page.length < ROWS_PER_PAGE) return;
  }
}
