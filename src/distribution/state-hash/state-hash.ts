import { ProtocolError } from '../frame-codec.ts';
import { asArray, asObject, own, readCount, readString, type UnknownFields } from '../read-fields.ts';

/** What all items of one kind come to. */
export interface KindHash {
  /** The kind of the items. */
  readonly items: string;
  readonly count: number;
  /** The marks of all items, laid over each other by exclusive or; in hex. */
  readonly hash: string;
}

/** What a whole configuration comes to. Kinds of which there is no item are absent. */
export type StateHash = readonly KindHash[];

/** There are about a dozen kinds; more is a broken peer. */
const MAX_KINDS = 64;
const HASH = /^[0-9a-f]{32}$/;

/**
 * Where what is held differs from what should be, for people: `credential (999 held, 1000 expected), route`. Undefined when nothing does. Kinds
 * that are not known are left out: nobody holds them.
 */
export function stateDifference(held: StateHash, expected: StateHash, isKnown: (items: string) => boolean): string | undefined {
  const mine = byKind(held);
  const theirs = byKind(expected);
  const kinds = [...new Set([...mine.keys(), ...theirs.keys()])].filter(isKnown).sort();
  const differences = kinds.flatMap((kind) => {
    const one = mine.get(kind);
    const other = theirs.get(kind);
    if (one?.hash === other?.hash && one?.count === other?.count) return [];
    const counts = one?.count === other?.count ? '' : ` (${one?.count ?? 0} held, ${other?.count ?? 0} expected)`;
    return [`${kind}${counts}`];
  });
  return differences.length === 0 ? undefined : differences.join(', ');
}

/** The field `kinds` of a message. @throws ProtocolError */
export function readStateHash(fields: UnknownFields): StateHash {
  const kinds = asArray(own(fields, 'kinds'), 'a state');
  if (kinds.length > MAX_KINDS) throw new ProtocolError('a state has too many kinds');
  return kinds.map((value) => {
    const kind = asObject(value, 'the state of a kind');
    const hash = readString(kind, 'hash');
    if (!HASH.test(hash)) throw new ProtocolError('the hash of a state is not 16 bytes in hex');
    return { items: readString(kind, 'items'), count: readCount(kind, 'count'), hash };
  });
}

function byKind(state: StateHash): ReadonlyMap<string, KindHash> {
  return new Map(state.map((kind) => [kind.items, kind]));
}
