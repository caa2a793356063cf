import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StartError } from '../errors/index.ts';
import type { Random } from '../lib/random.ts';
import { createDurably } from './create-durably.ts';

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** One AES-256 key and the id by which ciphertext names it. */
export interface KeyringKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** The keys that open what the store holds encrypted. They live in a file of their own, so that a copied database tells nothing. */
export interface Keyring {
  readonly file: string;
  /** The source of new keys and of nonces. */
  readonly random: Random;
  /** The first key of the file, which encrypts; undefined as long as there is no file. */
  readonly current: KeyringKey | undefined;
  find(id: string): KeyringKey | undefined;
  /** Reads the file again, which another process may have made meanwhile. @throws StartError */
  reload(): Promise<void>;
  /**
   * Makes the file with one new key and uses it; when another process made it meanwhile, uses that one. A store calls this when it
   * holds nothing encrypted yet: a keyring that got lost must be missed, not replaced by an empty one.
   */
  create(): Promise<void>;
}

/**
 * Reads the keyring file: `{"version":1,"keys":[{"id":"…","key":"<32 bytes in base64>"}]}`, the current key first.
 *
 * A file that does not exist yet is made (mode 0600, complete or not at all) when a new store first needs it.
 *
 * @throws StartError when the file cannot be read or is not a keyring.
 */
export async function openKeyring(options: { readonly file: string; readonly random: Random }): Promise<Keyring> {
  const keyring = new FileKeyring(options.file, options.random);
  await keyring.reload();
  return keyring;
}

class FileKeyring implements Keyring {
  readonly file: string;
  readonly random: Random;
  #keys: ReadonlyMap<string, KeyringKey> = new Map();
  #current: KeyringKey | undefined;

  constructor(file: string, random: Random) {
    this.file = file;
    this.random = random;
  }

  get current(): KeyringKey | undefined {
    return this.#current;
  }

  find(id: string): KeyringKey | undefined {
    return this.#keys.get(id);
  }

  async reload(): Promise<void> {
    const text = await readIfPresent(this.file);
    if (text === undefined) return;
    const keys = parseKeyring(text, this.file);
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#current = keys[0];
  }

  async create(): Promise<void> {
    const key = { id: this.random.bytes(8).toString('hex'), key: this.random.bytes(KEY_BYTES).toString('base64') };
    const text = `${JSON.stringify({ version: 1, keys: [key] }, undefined, 2)}\n`;
    try {
      await createDurably(this.file, text);
    } catch (cause) {
      throw new StartError(`The keyring ${this.file} cannot be written: check its folder, its permissions and the free space.`, { cause });
    }
    await this.reload();
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new StartError(`The keyring ${file} cannot be read: check the path and its permissions.`, { cause });
  }
}

// No error of this function has a cause: the message of a JSON error quotes the text, which holds keys.
function parseKeyring(text: string, file: string): readonly KeyringKey[] {
  const keys = parseKeys(text);
  if (keys === undefined || keys.length === 0 || new Set(keys.map((key) => key.id)).size !== keys.length) {
    throw new StartError(`${file} is not a keyring of Portcullis: restore it from a backup.`);
  }
  return keys;
}

function parseKeys(text: string): readonly KeyringKey[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.keys)) return undefined;
  const keys = value.keys.map(parseKey);
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function parseKey(value: unknown): KeyringKey | undefined {
  if (!isRecord(value)) return undefined;
  const { id, key } = value;
  if (typeof id !== 'string' || !KEY_ID.test(id) || typeof key !== 'string') return undefined;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === KEY_BYTES ? { id, secret: createSecretKey(bytes) } : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
