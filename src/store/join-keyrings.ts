import { StartError } from '../errors/index.ts';

interface KeyEntry {
  readonly id: string;
}

/**
 * The text of a keyring that has all keys of two: those of `own` first, as they are, and after them the ones that only `added` has.
 *
 * @throws StartError when one of them is no keyring, or both name different keys alike. It never quotes a key.
 */
export function joinKeyrings(own: { readonly text: string; readonly file: string }, added: string): string {
  const ownKeys = keysOf(own.text, own.file);
  const known = new Map(ownKeys.map((key) => [key.id, JSON.stringify(key)]));
  const missing = keysOf(added, 'The keyring in the backup').filter((key) => {
    const present = known.get(key.id);
    if (present !== undefined && present !== JSON.stringify(key)) {
      throw new StartError(
        `The key ${key.id} of the keyring in the backup is another one in ${own.file}: name a new file with --keyring-file.`,
      );
    }
    return present === undefined;
  });
  return missing.length === 0 ? own.text : `${JSON.stringify({ version: 1, keys: [...ownKeys, ...missing] }, undefined, 2)}\n`;
}

function keysOf(text: string, name: string): readonly KeyEntry[] {
  const unusable = (): StartError => new StartError(`${name} is not a keyring of Portcullis.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // No cause: a JSON error quotes the text.
    throw unusable();
  }
  const keys: unknown = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys) || !keys.every(isKeyEntry)) throw unusable();
  return keys;
}

function isKeyEntry(value: unknown): value is KeyEntry {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}
