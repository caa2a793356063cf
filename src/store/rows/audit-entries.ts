import { PortcullisError } from '../../errors/index.ts';
import { type AuditColumns, CHAIN_START, type ChainEnd, type ChainEndName, decodeChainEnd, encodeChainEnd } from '../audit-chain.ts';
import { originOf, originText } from '../change-origin.ts';
import { type FieldCipher, keyIdOf } from '../field-cipher.ts';
import type { HistoryLimits, KeptChainEnd } from '../history.ts';
import type { AuditEntry, Author } from '../store.ts';
import type { AuditRow } from './history-rows.ts';

/** Names of the settings, kept as secrets, in which the chain's ends lie: only who has the keyring can make them. */
export const CHAIN_SETTINGS: Readonly<Record<ChainEndName, string>> = { head: 'audit-chain-head', anchor: 'audit-chain-anchor' };

/** What a new entry is stored as. */
export function columnsOfEntry(entry: AuditEntry, author: Author): Omit<AuditColumns, 'number'> {
  return {
    ...{ at: entry.at, author_id: entry.author.id, author_name: entry.author.name, action: entry.action, group_id: entry.groupId ?? null },
    ...{ resource: entry.resource, address: entry.address ?? author.origin?.address ?? null, detail: JSON.stringify(entry.detail) },
    // The address has a column of its own.
    origin: originText({ ...originOf(entry.author.origin === undefined ? author : entry.author), address: undefined }),
  };
}

/** An end as the database has it. */
export interface StoredChainEnd {
  /** The value of its setting. */
  readonly value: Buffer;
  /** The ids of the keys that a keyring must have, read together with it. */
  readonly required: () => readonly string[];
}

/**
 * Reads an end from the value of its setting. Whoever took an end for damaged only because he lacks its key would begin another chain. A key that nobody
 * need have is no reason to stop, for such an end can be written by everybody who can write to the database.
 *
 * @throws PortcullisError (`keyring_lacks_key`) when it is encrypted with a required key that this keyring lacks
 */
export function openChainEnd(cipher: FieldCipher, which: ChainEndName, { value, required }: StoredChainEnd): KeptChainEnd {
  const text = value.toString();
  try {
    return decodeChainEnd(cipher.open(text, ['setting', CHAIN_SETTINGS[which]]).toString()) ?? 'damaged';
  } catch (error) {
    const isLacking = error instanceof PortcullisError && error.reason === 'keyring_lacks_key';
    if (isLacking && required().some((id) => id === keyIdOf(text))) throw error;
    return 'damaged';
  }
}

/** The value of an end's setting. */
export function sealChainEnd(cipher: FieldCipher, which: ChainEndName, end: ChainEnd): Buffer {
  return Buffer.from(cipher.seal(encodeChainEnd(end), ['setting', CHAIN_SETTINGS[which]]));
}

/**
 * How many of the first rows of the log are too old or too much, and the anchor that what is left then follows; undefined when there are
 * none. Only an unbroken beginning goes, up to the first row that is to be kept.
 */
export function beginningToForget(
  rows: readonly Pick<AuditRow, 'number' | 'at' | 'hash'>[],
  limits: Pick<HistoryLimits, 'auditBefore' | 'auditBelow'>,
  anchor: KeptChainEnd,
): { readonly count: number; readonly end: ChainEnd | undefined } {
  const kept = rows.findIndex(({ number, at }) => at >= limits.auditBefore && number >= (limits.auditBelow ?? 0));
  const gone = kept < 0 ? rows : rows.slice(0, kept);
  const last = gone.at(-1);
  if (last === undefined) return { count: 0, end: undefined };
  const hash = gone.findLast((row) => row.hash !== null)?.hash ?? (typeof anchor === 'string' ? CHAIN_START : anchor.hash);
  return { count: gone.length, end: { number: last.number, hash } };
}
