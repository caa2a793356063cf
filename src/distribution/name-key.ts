import type { SnapshotChange, SnapshotItemName } from '../schema/snapshot.ts';
import { nameOfSnapshotItem } from '../schema/snapshot.ts';

/** A name as the key of a map. */
export function nameKey({ kind, parentId, id }: SnapshotItemName): string {
  return JSON.stringify([kind, parentId, id]);
}

/** The name of what a change speaks of, as the key of a map. */
export function nameKeyOfChange(change: SnapshotChange): string {
  return nameKey(change.op === 'put' ? nameOfSnapshotItem(change.item) : change.name);
}
