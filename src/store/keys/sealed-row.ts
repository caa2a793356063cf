import { type CipherContext, type FieldCipher, keyIdOf } from '../field-cipher.ts';
import { secretContext as resourceContext } from '../rows/resource-rows.ts';
import { secretContext as recordContext } from '../rows/stored-record-rows.ts';
import type { ResourceKey } from '../store.ts';

/** The tables that hold ciphertexts, besides that of the keys themselves. */
export const SEALED_TABLES = ['resources', 'records', 'settings'] as const;

export type SealedTable = (typeof SEALED_TABLES)[number];

/** A row with ciphertexts; `text` is its column as it is stored. */
export type SealedRow =
  | { readonly table: 'resources'; readonly row: number; readonly key: ResourceKey; readonly text: string }
  | { readonly table: 'records'; readonly kind: string; readonly id: string; readonly text: string }
  | { readonly table: 'settings'; readonly name: string; readonly text: string };

/** A row encrypted anew. */
export interface ResealedRow {
  readonly text: string;
  /** How many of its values were. */
  readonly values: number;
  /** Places of values that cannot be opened, which stay as they are: they were damaged, or moved there by something else than the product. */
  readonly damaged: readonly string[];
}

interface SealedValue {
  readonly context: CipherContext;
  readonly text: string;
}

/** The ids of the keys that the values of a row are encrypted with, one for each value. What is no ciphertext has none. */
export function keyIdsOf(row: SealedRow): readonly string[] {
  return valuesOf(row).flatMap(({ text }) => keyIdOf(text) ?? []);
}

/** Encrypts all values of a row with the key that seals now; those which are already stay as they are. */
export function resealRow(row: SealedRow, cipher: FieldCipher): ResealedRow {
  const sealed = valuesOf(row);
  const damaged = sealed.length === 0 ? [nameOfRow(row)] : [];
  let values = 0;
  const texts = sealed.map((value) => {
    if (keyIdOf(value.text) === cipher.sealingKeyId) return value.text;
    const opened = openOrNot(value, cipher);
    if (opened === undefined) {
      damaged.push(nameOfPlace(value.context));
      return value.text;
    }
    values += 1;
    return cipher.seal(opened, value.context);
  });
  return { text: withTexts(row, texts), values, damaged };
}

/** How a person finds the row. */
export function nameOfRow(row: SealedRow): string {
  switch (row.table) {
    case 'resources':
      return nameOfPlace(resourceContext(row.key, ''));
    case 'records':
      return nameOfPlace(recordContext(row, ''));
    case 'settings':
      return nameOfPlace(['setting', row.name]);
  }
}

function openOrNot({ context, text }: SealedValue, cipher: FieldCipher): Buffer | undefined {
  try {
    return cipher.open(text, context);
  } catch {
    return undefined;
  }
}

function valuesOf(row: SealedRow): readonly SealedValue[] {
  if (row.table === 'settings') return [{ context: ['setting', row.name], text: row.text }];
  return pairsOf(row.text).map(([pointer, text]) => ({
    context: row.table === 'resources' ? resourceContext(row.key, pointer) : recordContext(row, pointer),
    text,
  }));
}

function withTexts(row: SealedRow, texts: readonly string[]): string {
  if (row.table === 'settings') return texts[0] ?? row.text;
  return JSON.stringify(pairsOf(row.text).map(([pointer, text], index) => [pointer, texts[index] ?? text]));
}

/** The columns `secrets`, as `sealSecrets` and `recordColumns` write them; none where something else has written there. */
function pairsOf(text: string): readonly (readonly [pointer: string, sealed: string])[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every(isPair) ? value : [];
  } catch {
    return [];
  }
}

function isPair(value: unknown): value is readonly [pointer: string, sealed: string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function nameOfPlace([what = '', ...parts]: CipherContext): string {
  if (what !== 'resource') return [what, ...parts.filter(Boolean)].join(' ');
  const [group = '', kind = '', parent = '', id = '', pointer = ''] = parts;
  return `${kind} ${parent === '' ? id : `${parent}/${id}`} in ${group}${pointer === '' ? '' : ` (${pointer})`}`;
}
