import type { JsonValue } from '../lib/json.ts';
import {
  type KeyDigest,
  nameOfSnapshotItem,
  type ReferencedKey,
  type SnapshotChange,
  type SnapshotItem,
  type SnapshotItemName,
} from '../schema/snapshot.ts';
import { nameKey } from './name-key.ts';

/** A stream of configuration: a snapshot starts over, items and changes follow. */
export type ConfigurationPiece =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'items'; readonly items: readonly SnapshotItem[] }
  | { readonly kind: 'changes'; readonly changes: readonly SnapshotChange[] };

type KeyHolder = Extract<SnapshotItem, { readonly keys: unknown }>;

/**
 * What a configuration that is not taken would have taken away: consumers and credentials that are gone in it, and keys that
 * their holder has no longer. Nothing of it is ever added, so a key that was revoked together with a broken route is
 * revoked even where the route is refused.
 *
 * @param refused what is not taken, oldest first
 * @param inForce what stays, from its snapshot on
 * @returns changes to lay over what stays
 */
export async function findWithdrawals(
  refused: AsyncIterable<ConfigurationPiece>,
  inForce: AsyncIterable<ConfigurationPiece>,
): Promise<readonly SnapshotChange[]> {
  const target = new WithdrawalTarget();
  for await (const piece of refused) target.take(piece);
  if (target.isEmpty) return [];
  const withdrawals = new Map<string, SnapshotChange>();
  for await (const piece of inForce) {
    for (const change of changesOf(piece)) {
      const name = change.op === 'put' ? nameOfSnapshotItem(change.item) : change.name;
      const withdrawal = change.op === 'put' ? target.withdrawalFrom(change.item) : undefined;
      if (withdrawal === undefined) withdrawals.delete(nameKey(name));
      else withdrawals.set(nameKey(name), withdrawal);
    }
  }
  return [...withdrawals.values()];
}

/** Which keys each consumer and credential keeps in the refused configuration, as far as it speaks of them. */
class WithdrawalTarget {
  readonly #keptKeys = new Map<string, ReadonlySet<string> | 'deleted'>();
  /** A snapshot speaks of all: what it does not name is gone. */
  #isWhole = false;

  get isEmpty(): boolean {
    return !this.#isWhole && this.#keptKeys.size === 0;
  }

  take(piece: ConfigurationPiece): void {
    if (piece.kind === 'snapshot') {
      this.#isWhole = true;
      this.#keptKeys.clear();
    }
    for (const change of changesOf(piece)) {
      if (change.op === 'delete') {
        if (isKeyHolderName(change.name)) this.#keptKeys.set(nameKey(change.name), 'deleted');
      } else if (isKeyHolder(change.item)) {
        this.#keptKeys.set(nameKey(nameOfSnapshotItem(change.item)), new Set(keyTextsOf(change.item)));
      }
    }
  }

  withdrawalFrom(item: SnapshotItem): SnapshotChange | undefined {
    if (!isKeyHolder(item)) return undefined;
    const name = nameOfSnapshotItem(item);
    const kept = this.#keptKeys.get(nameKey(name)) ?? (this.#isWhole ? 'deleted' : undefined);
    if (kept === undefined) return undefined;
    if (kept === 'deleted') return { op: 'delete', name };
    const keys = item.keys.filter((key) => kept.has(keyText(key)));
    const references = item.references?.filter((key) => kept.has(referenceText(key)));
    if (keys.length === item.keys.length && references?.length === item.references?.length) return undefined;
    return { op: 'put', item: { ...item, keys, ...(references === undefined ? {} : { references }) } };
  }
}

function changesOf(piece: ConfigurationPiece): readonly SnapshotChange[] {
  if (piece.kind === 'changes') return piece.changes;
  return piece.kind === 'items' ? piece.items.map((item) => ({ op: 'put', item })) : [];
}

function isKeyHolder(item: SnapshotItem): item is KeyHolder {
  return item.kind === 'consumer' || item.kind === 'credential';
}

function isKeyHolderName(name: SnapshotItemName): boolean {
  return name.kind === 'consumer' || name.kind === 'credential';
}

function keyTextsOf({ keys, references = [] }: KeyHolder): readonly string[] {
  return [...keys.map(keyText), ...references.map(referenceText)];
}

function referenceText(key: ReferencedKey): string {
  return JSON.stringify(key, withSortedNames);
}

/** A key with other data is another key: behind the same user name there may be another password. */
function keyText({ plugin, digest, data }: KeyDigest): string {
  return `${digest} ${plugin} ${data === undefined ? '' : JSON.stringify(data, withSortedNames)}`;
}

/** A control plane of another version may write the same data in another order. */
function withSortedNames(_name: string, value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
