import { type SnapshotItemName, snapshotParentId } from '../../schema/snapshot.ts';
import { nameKey } from '../name-key.ts';
import { isKnownKind } from '../parse-payload.ts';
import { asArray, asObject, own, parseJson, readString, type UnknownFields } from '../read-fields.ts';

/** An item as a hash of states sees it. */
export interface ItemText {
  readonly kind: string;
  /** As the key of a map. */
  readonly name: string;
  /** Its JSON as it travelled; undefined when it is gone. */
  readonly text: string | undefined;
}

/** The items of a part of a snapshot, with fields that this version does not know, without kinds that it does not know. @throws ProtocolError */
export function* itemTexts(payload: string): Generator<ItemText, void> {
  for (const value of asArray(parseJson(payload), 'a payload')) {
    const item = textOfItem(asObject(value, 'an item'));
    if (item !== undefined) yield item;
  }
}

/** The same of a delta. @throws ProtocolError */
export function* changeTexts(payload: string): Generator<ItemText, void> {
  for (const value of asArray(parseJson(payload), 'a payload')) {
    const change = asObject(value, 'a change');
    const isPut = readString(change, 'op') === 'put';
    const item = isPut ? textOfItem(asObject(own(change, 'item'), 'an item')) : textOfName(asObject(own(change, 'name'), 'a name'));
    if (item !== undefined) yield item;
  }
}

function textOfItem(item: UnknownFields): ItemText | undefined {
  const kind = readString(item, 'kind');
  if (!isKnownKind(kind)) return undefined;
  const name: SnapshotItemName = { kind, parentId: snapshotParentId(kind, (field) => readString(item, field)), id: readString(item, 'id') };
  // What `JSON.stringify` has written is written the same again after it was parsed: numbers and the order of fields survive.
  return { kind, name: nameKey(name), text: JSON.stringify(item) };
}

function textOfName(name: UnknownFields): ItemText | undefined {
  const kind = readString(name, 'kind');
  if (!isKnownKind(kind)) return undefined;
  return { kind, name: nameKey({ kind, parentId: readString(name, 'parentId'), id: readString(name, 'id') }), text: undefined };
}
