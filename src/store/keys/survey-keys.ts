import { fingerprintOf } from '../keyring-file.ts';
import { type ChangeKeysOptions, readState } from './change-keys.ts';
import type { PlaneKeys } from './key-store.ts';
import type { KeyringState } from './keyring-state.ts';
import { pagesOf } from './re-encrypt.ts';
import { keyIdsOf, nameOfRow, SEALED_TABLES, type SealedTable } from './sealed-row.ts';

/** How much is encrypted with a key, and where. */
export interface KeyUse {
  readonly values: ReadonlyMap<SealedTable, number>;
  /** One of the places. */
  readonly example: string;
}

/** What is known of the keys of a store. */
export interface KeySurvey {
  readonly state: KeyringState;
  /** Keys of the file, in its order. */
  readonly inFile: readonly { readonly id: string; readonly fingerprint: string }[];
  readonly uses: ReadonlyMap<string, KeyUse>;
  readonly planes: readonly PlaneKeys[];
}

/** Looks at everything that the store holds encrypted. Waits for no writer, and no writer waits for it. */
export async function surveyKeys({ store }: Pick<ChangeKeysOptions, 'store'>): Promise<KeySurvey> {
  const inFile = store.keys.keyring.keys.map((key) => ({ id: key.id, fingerprint: fingerprintOf(key) }));
  const uses = await countUses({ store });
  return { state: await readState(store), inFile, uses, planes: await store.keys.listPlanes() };
}

/** How many values each key has encrypted, by its id. */
export async function countUses({ store }: Pick<ChangeKeysOptions, 'store'>): Promise<ReadonlyMap<string, KeyUse>> {
  const uses = new Map<string, { readonly values: Map<SealedTable, number>; readonly example: string }>();
  for (const table of SEALED_TABLES) {
    for await (const page of pagesOf({ store }, table)) {
      for (const row of page) {
        for (const id of keyIdsOf(row)) {
          const use = uses.get(id) ?? { values: new Map(), example: nameOfRow(row) };
          use.values.set(table, (use.values.get(table) ?? 0) + 1);
          uses.set(id, use);
        }
      }
    }
  }
  return uses;
}

/** How many values in all. */
export function valuesOfUse(use: KeyUse | undefined): number {
  return [...(use?.values.values() ?? [])].reduce((sum, count) => sum + count, 0);
}
