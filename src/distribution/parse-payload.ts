import type { JsonObject } from '../lib/json.ts';
import type { KeyDigest, ReferencedKey, SnapshotChange, SnapshotItem, SnapshotItemName } from '../schema/snapshot.ts';
import { ProtocolError } from './frame-codec.ts';
import { asArray, asJsonObject, asObject, own, parseJson, readString, type UnknownFields } from './read-fields.ts';

/** Base64 of 32 bytes. */
const DIGEST = /^[A-Za-z0-9+/]{43}=$/;

/** The items of one part of a snapshot. `count` is how many the text holds; kinds that this version does not know are left out of `items`. */
export interface ParsedItems {
  readonly items: readonly SnapshotItem[];
  readonly count: number;
}

/** @throws ProtocolError */
export function parseItems(payload: string): ParsedItems {
  const values = asArray(parseJson(payload), 'a payload');
  const items: SnapshotItem[] = [];
  for (const value of values) {
    const item = readItem(asObject(value, 'an item'));
    if (item !== undefined) items.push(item);
  }
  return { items, count: values.length };
}

/** The changes of a delta; `count` and kinds of later versions as in `ParsedItems`. */
export interface ParsedChanges {
  readonly changes: readonly SnapshotChange[];
  readonly count: number;
}

/** @throws ProtocolError */
export function parseChanges(payload: string): ParsedChanges {
  const values = asArray(parseJson(payload), 'a payload');
  const changes: SnapshotChange[] = [];
  for (const value of values) {
    const change = readChange(asObject(value, 'a change'));
    if (change !== undefined) changes.push(change);
  }
  return { changes, count: values.length };
}

function readChange(fields: UnknownFields): SnapshotChange | undefined {
  const op = readString(fields, 'op');
  if (op === 'put') {
    const item = readItem(asObject(own(fields, 'item'), 'an item'));
    return item === undefined ? undefined : { op, item };
  }
  if (op === 'delete') {
    const name = readName(asObject(own(fields, 'name'), 'a name'));
    return name === undefined ? undefined : { op, name };
  }
  throw new ProtocolError('a change is neither put nor delete');
}

function readItem(fields: UnknownFields): SnapshotItem | undefined {
  const kind = readString(fields, 'kind');
  if (!isKnownKind(kind)) return undefined;
  const id = readString(fields, 'id');
  const value = asJsonObject(own(fields, 'value'), 'the value of an item');
  switch (kind) {
    case 'service':
    case 'route':
    case 'stream_route':
    case 'global_rule':
    case 'plugin_metadata':
    case 'secret_provider':
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return { kind, id, value };
    case 'upstream':
      return { kind, id, service: readString(fields, 'service'), value };
    case 'consumer':
      return { kind, id, value, keys: readKeys(fields), ...readReferences(fields) };
    case 'credential':
      return { kind, id, consumer: readString(fields, 'consumer'), value, keys: readKeys(fields), ...readReferences(fields) };
  }
}

function readName(fields: UnknownFields): SnapshotItemName | undefined {
  const kind = readString(fields, 'kind');
  return isKnownKind(kind) ? { kind, parentId: readString(fields, 'parentId'), id: readString(fields, 'id') } : undefined;
}

function readKeys(fields: UnknownFields): readonly KeyDigest[] {
  return asArray(own(fields, 'keys'), 'the keys of an item').map((value) => {
    const key = asObject(value, 'a key');
    return { plugin: readString(key, 'plugin'), digest: readDigest(key), ...readObject(key, 'data') };
  });
}

function readReferences(fields: UnknownFields): { readonly references?: readonly ReferencedKey[] } {
  const values = own(fields, 'references');
  if (values === undefined) return {};
  return { references: asArray(values, 'the references of an item').map(readReferencedKey) };
}

function readReferencedKey(value: unknown): ReferencedKey {
  const key = asObject(value, 'a referenced key');
  const unique = asObject(own(key, 'unique'), 'the unique value of a referenced key');
  return {
    plugin: readString(key, 'plugin'),
    unique: own(unique, 'reference') === undefined ? { digest: readDigest(unique) } : { reference: readString(unique, 'reference') },
    ...readObject(key, 'data'),
    ...readObject(key, 'configuration'),
  };
}

function readDigest(fields: UnknownFields): string {
  const digest = readString(fields, 'digest');
  if (!DIGEST.test(digest)) throw new ProtocolError('a digest is not 32 bytes in base64');
  return digest;
}

function readObject<Name extends string>(key: UnknownFields, name: Name): { readonly [Field in Name]?: JsonObject } {
  const value = own(key, name);
  // The compiler does not see that a computed name is the one it was given.
  return (value === undefined ? {} : { [name]: asJsonObject(value, `the ${name} of a key`) }) as { [Field in Name]?: JsonObject };
}

const KNOWN_KINDS: ReadonlySet<string> = new Set<SnapshotItem['kind']>([
  'service',
  'upstream',
  'route',
  'stream_route',
  'consumer',
  'credential',
  'global_rule',
  'plugin_metadata',
  'secret_provider',
  'ssl',
  'sni',
  'certificate',
  'ca_certificate',
]);

/** Whether this version knows items of this kind. */
export function isKnownKind(kind: string): kind is SnapshotItem['kind'] {
  return KNOWN_KINDS.has(kind);
}
