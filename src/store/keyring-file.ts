import { createHmac, createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import { open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../errors/index.ts';
import type { Random } from '../lib/random.ts';
import { syncFolder } from '../lib/sync-folder.ts';

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;
const FINGERPRINT_LABEL = 'portcullis keyring fingerprint';
const FINGERPRINT_DIGITS = 16;
/** What follows the name of the file in that of one that is being written. */
const LEFTOVER = /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** One AES-256 key and the id by which ciphertext names it. */
export interface KeyringKey {
  readonly id: string;
  readonly secret: KeyObject;
}

/** An entry of the file. What else a person has written beside it is kept. */
interface KeyEntry extends Record<string, unknown> {
  readonly id: string;
  readonly key: string;
}

/** The text of a keyring file, whose keys `parseKeyring` gives back. The first one is the newest. */
export function keyringText(entries: readonly { readonly id: string; readonly key: string }[]): string {
  return `${JSON.stringify({ version: 1, keys: entries }, undefined, 2)}\n`;
}

/** A new entry: 256 random bits under a random id. */
export function newKeyEntry(random: Random): { readonly id: string; readonly key: string } {
  return { id: random.bytes(8).toString('hex'), key: random.bytes(KEY_BYTES).toString('base64') };
}

/**
 * By what two machines know that they have the same key under an id: HMAC-SHA-256 of a fixed text, cut to 64 bits. Nothing leads back from it to a key of
 * 256 random bits.
 */
export function fingerprintOf(key: KeyringKey): string {
  return createHmac('sha256', key.secret).update(FINGERPRINT_LABEL).digest('hex').slice(0, FINGERPRINT_DIGITS);
}

/** The keys of a file, in its order. No error tells what is in the text. @throws StartError when it is no keyring */
export function parseKeyring(text: string, file: string): readonly KeyringKey[] {
  return entriesOf(text, file).map(({ id, key }) => ({ id, secret: createSecretKey(Buffer.from(key, 'base64')) }));
}

/** The sentence for a keyring that cannot be written. */
export function unwritableKeyring(file: string, cause: unknown): StartError {
  return new StartError(`The keyring ${file} cannot be written: check its folder, its permissions and the free space.`, { cause });
}

/**
 * Changes the keys of a file that exists: as a whole and on the disk, or not at all. Its owner, its mode and, where it is a link, the link stay.
 * Whoever calls this makes sure that nobody else does so at the same time.
 *
 * @throws StartError when it cannot be read or written, or is no keyring
 */
export async function changeKeyringFile(file: string, change: (entries: readonly KeyEntry[]) => readonly KeyEntry[]): Promise<void> {
  const entries = entriesOf(await readFile(file, 'utf8').catch((cause: unknown) => Promise.reject(unwritableKeyring(file, cause))), file);
  const changed = change(entries);
  const isSame = changed.length === entries.length && changed.every((entry, index) => entry === entries[index]);
  await replaceKeyringFile(file, isSame ? undefined : keyringText(changed));
}

/** Removes what is left of writers that were killed, and writes the text, if there is one; owner, mode and link of the file stay. @throws StartError when it cannot be written */
export async function replaceKeyringFile(file: string, text: string | undefined): Promise<void> {
  try {
    const target = await realpath(file);
    await removeLeftovers(target);
    if (text !== undefined) await replaceDurably(target, text);
  } catch (cause) {
    throw unwritableKeyring(file, cause);
  }
}

/** Whoever was killed while it wrote has left a file with keys in it, which would outlive them. */
async function removeLeftovers(file: string): Promise<void> {
  const [folder, name] = [path.dirname(file), path.basename(file)];
  const leftovers = (await readdir(folder)).filter((each) => each.startsWith(`${name}.`) && LEFTOVER.test(each.slice(name.length)));
  for (const each of leftovers) await rm(path.join(folder, each), { force: true });
}

async function replaceDurably(file: string, text: string): Promise<void> {
  const { uid, gid, mode } = await stat(file);
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      const made = await handle.stat();
      // Written by root on behalf of the user under whom the control plane runs, it must stay that user's.
      if (made.uid !== uid || made.gid !== gid) await handle.chown(uid, gid);
      await handle.chmod(mode & 0o777);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

// No error of this function has a cause: the message of a JSON error quotes the text, which holds keys.
function entriesOf(text: string, file: string): readonly KeyEntry[] {
  const entries = parseEntries(text);
  if (entries === undefined || entries.length === 0 || new Set(entries.map(({ id }) => id)).size !== entries.length) {
    throw new StartError(`${file} is not a keyring of Portcullis: restore it from a backup.`);
  }
  return entries;
}

function parseEntries(text: string): readonly KeyEntry[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.keys)) return undefined;
  const entries: readonly unknown[] = value.keys;
  return entries.every(isEntry) ? entries : undefined;
}

function isEntry(value: unknown): value is KeyEntry {
  if (!isRecord(value)) return false;
  const { id, key } = value;
  return typeof id === 'string' && KEY_ID.test(id) && typeof key === 'string' && Buffer.from(key, 'base64').length === KEY_BYTES;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
