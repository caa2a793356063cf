import type { JsonObject } from '../lib/json.ts';
import type { TlsItemKind } from './tls-item.ts';

/** The salted digest of one key (or other unique value), and the plugin in whose name space it is unique. */
export interface KeyDigest {
  readonly plugin: string;
  /** Base64 of the 32 bytes of `digestKey`. */
  readonly digest: string;
  /** What the plugin needs of the credential beyond its unique value, as its `credentialData` gives it; absent where it needs nothing. */
  readonly data?: JsonObject;
}

/**
 * A credential some of whose values are kept elsewhere: gateways look them up, and enter it as a `KeyDigest` when they know all. Until
 * then it lets nobody in.
 */
export interface ReferencedKey {
  readonly plugin: string;
  /** The unique value: its salted digest as in `KeyDigest`, or the reference to it. */
  readonly unique: { readonly digest: string } | { readonly reference: string };
  /** As in `KeyDigest`, where it depends on no reference. */
  readonly data?: JsonObject;
  /** The configuration that data must be made of by the plugin's `credentialData`, when its references are resolved. */
  readonly configuration?: JsonObject;
}

/** Everything a gateway receives of one resource. Clear API keys are never part of it. `references` is absent where there are none. */
export type SnapshotItem =
  | { readonly kind: 'service'; readonly id: string; readonly value: JsonObject }
  | { readonly kind: 'route'; readonly id: string; readonly value: JsonObject }
  | { readonly kind: 'stream_route'; readonly id: string; readonly value: JsonObject }
  /** An upstream of a service beside the one inside it. */
  | { readonly kind: 'upstream'; readonly id: string; readonly service: string; readonly value: JsonObject }
  | { readonly kind: 'global_rule'; readonly id: string; readonly value: JsonObject }
  /** The id is the plugin's name, the value what all its configurations share. */
  | { readonly kind: 'plugin_metadata'; readonly id: string; readonly value: JsonObject }
  /** Hosts that are served with TLS, and certificates for them and for upstreams, with their private keys. */
  | { readonly kind: TlsItemKind; readonly id: string; readonly value: JsonObject }
  /** How a secret manager is reached, with its secrets. The id begins with the manager, e.g. `vault/1`. */
  | { readonly kind: 'secret_provider'; readonly id: string; readonly value: JsonObject }
  | {
      readonly kind: 'consumer';
      /** The username. */
      readonly id: string;
      /** Plugins that are no credentials, and the labels; credentials written on the consumer itself are in `keys`. */
      readonly value: JsonObject;
      readonly keys: readonly KeyDigest[];
      readonly references?: readonly ReferencedKey[];
    }
  | {
      readonly kind: 'credential';
      readonly id: string;
      /** The username of the consumer it belongs to. */
      readonly consumer: string;
      readonly value: JsonObject;
      readonly keys: readonly KeyDigest[];
      readonly references?: readonly ReferencedKey[];
    };

/** What names one resource inside a gateway group. `parentId` is the consumer of a credential or the service of an upstream, and else empty. */
export interface SnapshotItemName {
  readonly kind: SnapshotItem['kind'];
  readonly parentId: string;
  readonly id: string;
}

/** One step of a delta. A put carries the whole new item. */
export type SnapshotChange =
  | { readonly op: 'put'; readonly item: SnapshotItem }
  | { readonly op: 'delete'; readonly name: SnapshotItemName };

/** All changes that lead a group from one revision to a later one, in order. No two of them name the same item. */
export interface SnapshotDelta {
  readonly fromRevision: number;
  readonly toRevision: number;
  readonly changes: readonly SnapshotChange[];
}

/** The name of an item, as deltas and tables use it. */
export function nameOfSnapshotItem(item: SnapshotItem): SnapshotItemName {
  return { kind: item.kind, parentId: parentIdOf(item), id: item.id };
}

/** The parent in the name of an item of this kind, where `read` gives the item's fields. */
export function snapshotParentId(kind: SnapshotItem['kind'], read: (field: 'consumer' | 'service') => string): string {
  switch (kind) {
    case 'credential':
      return read('consumer');
    case 'upstream':
      return read('service');
    default:
      return '';
  }
}

function parentIdOf(item: SnapshotItem): string {
  switch (item.kind) {
    case 'credential':
      return item.consumer;
    case 'upstream':
      return item.service;
    default:
      return '';
  }
}
