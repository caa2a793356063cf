import { readFileSync, statSync } from 'node:fs';
import { StartError } from '../errors/index.ts';
import type { Random } from '../lib/random.ts';
import { createDurably } from './create-durably.ts';
import { type KeyringKey, keyringText, newKeyEntry, parseKeyring, unwritableKeyring } from './keyring-file.ts';

export type { KeyringKey } from './keyring-file.ts';

/** The keys that open what the store holds encrypted. They live in a file of their own, so that a copied database tells nothing. */
export interface Keyring {
  readonly file: string;
  /** The source of new keys and of nonces. */
  readonly random: Random;
  /** All keys, in the order of the file. */
  readonly keys: readonly KeyringKey[];
  /** The first key of the file, with which a new store begins; undefined as long as there is no file. */
  readonly first: KeyringKey | undefined;
  /** A key that is not known is looked for in the file once more, where that has changed since it was last read. */
  find(id: string): KeyringKey | undefined;
  /** As `reload`, where the file has changed; one that cannot be read now changes nothing. */
  refresh(): void;
  /** Reads the file again, for keys that came into it. A key that was known stays known, and stays the one it was. @throws StartError */
  reload(): void;
  /**
   * Makes the file with one new key and uses it; when another process made it meanwhile, uses that one. A store calls this when it
   * holds nothing encrypted yet: a keyring that got lost must be missed, not replaced by an empty one.
   */
  create(): Promise<void>;
}

/**
 * Reads the keyring file: `{"version":1,"keys":[{"id":"…","key":"<32 bytes in base64>"}]}`.
 *
 * A file that does not exist yet is made (mode 0600, complete or not at all) when a new store first needs it.
 *
 * @throws StartError when the file cannot be read or is not a keyring.
 */
export async function openKeyring(options: { readonly file: string; readonly random: Random }): Promise<Keyring> {
  const keyring = new FileKeyring(options.file, options.random);
  keyring.reload();
  return keyring;
}

class FileKeyring implements Keyring {
  readonly file: string;
  readonly random: Random;
  #keys: ReadonlyMap<string, KeyringKey> = new Map();
  /** What the file was known by when it was last read. */
  #mark: string | undefined;

  constructor(file: string, random: Random) {
    this.file = file;
    this.random = random;
  }

  get keys(): readonly KeyringKey[] {
    return [...this.#keys.values()];
  }

  get first(): KeyringKey | undefined {
    return this.keys[0];
  }

  find(id: string): KeyringKey | undefined {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    this.refresh();
    return this.#keys.get(id);
  }

  refresh(): void {
    if (markOf(this.file) === this.#mark) return;
    try {
      this.reload();
    } catch {
      // Half written, or unreadable for now: whoever misses a key in it says so.
    }
  }

  reload(): void {
    // Taken before the file is read: what is written in between is noticed the next time.
    this.#mark = markOf(this.file);
    const text = readIfPresent(this.file);
    if (text === undefined) return;
    const inFile = parseKeyring(text, this.file).map((key) => this.#keys.get(key.id) ?? key);
    // A mistake in a file that is changed under a running process takes nothing away from it.
    this.#keys = new Map([...inFile, ...this.#keys.values()].map((key) => [key.id, key]));
  }

  async create(): Promise<void> {
    try {
      await createDurably(this.file, keyringText([newKeyEntry(this.random)]));
    } catch (cause) {
      throw unwritableKeyring(this.file, cause);
    }
    this.reload();
  }
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new StartError(`The keyring ${file} cannot be read: check the path and its permissions.`, { cause });
  }
}

function markOf(file: string): string | undefined {
  try {
    const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
    return stats && `${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
  } catch {
    return 'unreadable';
  }
}
