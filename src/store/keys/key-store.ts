import type { Keyring } from '../keyring.ts';
import type { Author, StoreTransaction } from '../store.ts';
import type { SealedRow, SealedTable } from './sealed-row.ts';

/** What a control plane that lives has told of its keyring. */
export interface PlaneKeys {
  /** Its id and the machine it runs on, for a person. */
  readonly name: string;
  /** Fingerprints by the ids of its keys; undefined for a version that knows nothing of rotation and encrypts as it likes. */
  readonly fingerprints: ReadonlyMap<string, string> | undefined;
}

/** The keys of a store, and all that is encrypted with them. */
export interface KeyStore {
  readonly keyring: Keyring;
  /** Rows with ciphertexts of one table, in a fixed order, after the last one of the page before. Waits for no writer. */
  pageOfSealed(table: SealedTable, after: SealedRow | undefined, limit: number): Promise<readonly SealedRow[]>;
  /** The ids of the keys that a keyring must have to open the store. */
  listRequired(): Promise<readonly string[]>;
  /** The control planes that live; none where only one process serves the store. */
  listPlanes(): Promise<readonly PlaneKeys[]>;
  /** As `Store.transaction`, with what else changes when keys do. */
  transaction<Result>(author: Author, work: (transaction: StoreTransaction, keys: KeyWriter) => Promise<Result>): Promise<Result>;
}

/** What a transaction can do to the keys of a store. */
export interface KeyWriter {
  /** The ids of the keys that a keyring must have to open the store. */
  listRequired(): Promise<readonly string[]>;
  /** A keyring must have this key from now on; the process has it. */
  require(keyId: string): Promise<void>;
  /** A keyring need not have this key any more. */
  release(keyId: string): Promise<void>;
  /**
   * Encrypts the rows anew with the key that seals. A row that was written since it was read is left alone: whoever wrote it used that key. Revisions,
   * versions and times stay. Returns how many values were changed, and the places of those that cannot be opened.
   */
  reseal(rows: readonly SealedRow[]): Promise<{ readonly values: number; readonly damaged: readonly string[] }>;
}

/** A store that can change its keys. */
export interface StoreKeys {
  readonly keys: KeyStore;
}
