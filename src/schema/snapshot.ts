import type { JsonObject } from '../lib/json.ts';

/** The salted digest of one key, and the plugin in whose name space the key is unique. */
export interface KeyDigest {
  readonly plugin: string;
  /** Base64 of the 32 bytes of `digestKey`. */
  readonly digest: string;
}

/** Everything a gateway receives of one resource. Clear API keys are never part of it. */
export type SnapshotItem =
  | { readonly kind: 'service'; readonly id: string; readonly value: JsonObject }
  | { readonly kind: 'route'; readonly id: string; readonly value: JsonObject }
  | {
      readonly kind: 'consumer';
      /** The username. */
      readonly id: string;
      /** Plugins that are no credentials, and the labels; credentials written on the consumer itself are in `keys`. */
      readonly value: JsonObject;
      readonly keys: readonly KeyDigest[];
    }
  | {
      readonly kind: 'credential';
      readonly id: string;
      /** The username of the consumer it belongs to. */
      readonly consumer: string;
      readonly value: JsonObject;
      readonly keys: readonly KeyDigest[];
    };

/** What names one resource inside a gateway group. `parentId` is the consumer of a credential, and empty for all other kinds. */
export interface SnapshotItemName {
  readonly kind: SnapshotItem['kind'];
  readonly parentId: string;
  readonly id: string;
}

/** One step of a delta. A put carries the whole new item. */
export type SnapshotChange =
  | { readonly op: 'put'; readonly item: SnapshotItem }
  | { readonly op: 'delete'; readonly name: SnapshotItemName };

/** All changes that lead a group from one revision to a later one, in order. */
export interface SnapshotDelta {
  readonly fromRevision: number;
  readonly toRevision: number;
  readonly changes: readonly SnapshotChange[];
}

/** The name of an item, as deltas and tables use it. */
export function nameOfSnapshotItem(item: SnapshotItem): SnapshotItemName {
  return { kind: item.kind, parentId: item.kind === 'credential' ? item.consumer : '', id: item.id };
}
