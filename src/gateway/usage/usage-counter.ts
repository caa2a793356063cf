import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { IdentifiedConsumer, type IdentityBytes } from '../tables/index.ts';
import {
  ACTIVE,
  CONSUMER_LENGTH,
  COUNT,
  CREDENTIAL_LENGTH,
  ENTRY_WORDS,
  HASH,
  halvesOf,
  LAST,
  OTHER_ENTRIES,
  ROUTE,
  ROUTE_LENGTH,
  SLOT,
  STATUS,
  TEXT,
  TEXT_USED,
  USED,
  type UsageHalf,
  type UsageHandles,
  WRITING,
} from './usage-handles.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const NO_ROUTE = { number: 0, id: '' } as const;
const NOBODY: IdentityBytes = { bytes: Buffer.alloc(0), nameStart: 0, nameEnd: 0, idStart: 0, idEnd: 0 };

/** The route that a request went to, as it is counted. */
interface CountedRoute {
  /** Never given to another route while the process lives. */
  readonly number: number;
  readonly id: string;
}

/**
 * A worker's side of the usage: for each credential, route and status how many requests there were and when the last one was. Names of
 * consumers and credentials only, never keys. Nothing is allocated for a request; what a worker has counted outlives it.
 *
 * The worker counts in one half of its row while the agent empties the other. It says that it is counting before it looks which half that
 * is, and the agent looks after it has changed that: one of both always sees the other.
 */
export class UsageCounter {
  readonly #row: Int32Array;
  readonly #halves: readonly [UsageHalf, UsageHalf];
  readonly #maxEntries: number;

  constructor(handles: UsageHandles, row: number) {
    const memory = handles.rows[row];
    if (memory === undefined) throw new RangeError(`there is no row ${row}`);
    this.#row = new Int32Array(memory, 0, 2);
    this.#halves = halvesOf(handles, memory);
    this.#maxEntries = handles.limits.entries + OTHER_ENTRIES;
  }

  /** Counts a request that is over. `consumer`: who was identified; `route` undefined where none took the request; `atSeconds`: Unix. */
  count(consumer: ConsumerMatch | undefined, route: CountedRoute | undefined, status: number, atSeconds: number): void {
    Atomics.store(this.#row, WRITING, 1);
    const half = this.#halves[Atomics.load(this.#row, ACTIVE) === 0 ? 0 : 1];
    this.#countIn(half, identityOf(consumer), route ?? NO_ROUTE, status, atSeconds);
    Atomics.store(this.#row, WRITING, 0);
  }

  #countIn(half: UsageHalf, identity: IdentityBytes, route: CountedRoute, status: number, atSeconds: number): void {
    const hash = hashOf(identity, route.number, status);
    const { slots, entries } = half;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const entry = slots[slot] ?? 0;
      if (entry === 0) break;
      const at = entry * ENTRY_WORDS;
      if (
        entries[at + HASH] === hash &&
        entries[at + ROUTE] === route.number &&
        entries[at + STATUS] === status &&
        isOf(half, at, identity)
      ) {
        note(entries, at, atSeconds);
        return;
      }
      slot = (slot + 1) & mask;
    }
    const at = this.#add(half, slot, hash, identity, route, status);
    note(entries, at, atSeconds);
  }

  /** The words of a new entry; of the one for all others where there is no room. */
  #add(half: UsageHalf, slot: number, hash: number, identity: IdentityBytes, route: CountedRoute, status: number): number {
    const { header, slots, entries, texts } = half;
    // The first entries are not in use until something has been counted there.
    const entry = Math.max(header[USED] ?? 0, OTHER_ENTRIES);
    const start = header[TEXT_USED] ?? 0;
    const nameLength = identity.nameEnd - identity.nameStart;
    const idLength = identity.idEnd - identity.idStart;
    const routeLength = Buffer.byteLength(route.id);
    const end = start + nameLength + idLength + routeLength;
    if (entry >= this.#maxEntries || end > texts.length) return this.#other(half, status);
    identity.bytes.copy(texts, start, identity.nameStart, identity.nameEnd);
    identity.bytes.copy(texts, start + nameLength, identity.idStart, identity.idEnd);
    texts.write(route.id, start + nameLength + idLength, routeLength);
    const at = entry * ENTRY_WORDS;
    entries[at + HASH] = hash;
    entries[at + ROUTE] = route.number;
    entries[at + STATUS] = status;
    entries[at + COUNT] = 0;
    entries[at + LAST] = 0;
    entries[at + TEXT] = start;
    entries[at + CONSUMER_LENGTH] = nameLength;
    entries[at + CREDENTIAL_LENGTH] = idLength;
    entries[at + ROUTE_LENGTH] = routeLength;
    entries[at + SLOT] = slot;
    header[TEXT_USED] = end;
    // From here on it is among those that the agent reads, whatever becomes of this thread.
    header[USED] = entry + 1;
    slots[slot] = entry;
    return at;
  }

  #other({ header }: UsageHalf, status: number): number {
    const hundred = Math.min(Math.floor(status / 100), OTHER_ENTRIES - 1);
    header[USED] = Math.max(header[USED] ?? 0, OTHER_ENTRIES);
    return hundred * ENTRY_WORDS;
  }
}

function note(entries: Uint32Array, at: number, atSeconds: number): void {
  entries[at + COUNT] = (entries[at + COUNT] ?? 0) + 1;
  entries[at + LAST] = Math.max(entries[at + LAST] ?? 0, atSeconds);
}

function identityOf(consumer: ConsumerMatch | undefined): IdentityBytes {
  if (consumer === undefined) return NOBODY;
  if (consumer instanceof IdentifiedConsumer) return consumer;
  return 'identified' in consumer && consumer.identified instanceof IdentifiedConsumer ? consumer.identified : NOBODY;
}

/** FNV-1a: whoever chooses names and statuses so that they collide is the one who configures the gateway. */
function hashOf({ bytes, nameStart, nameEnd, idStart, idEnd }: IdentityBytes, route: number, status: number): number {
  let hash = Math.imul(Math.imul(FNV_OFFSET ^ route, FNV_PRIME) ^ status, FNV_PRIME);
  for (let index = nameStart; index < nameEnd; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
  hash = Math.imul(hash ^ 0xff, FNV_PRIME);
  for (let index = idStart; index < idEnd; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), FNV_PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function isOf({ entries, texts }: UsageHalf, at: number, { bytes, nameStart, nameEnd, idStart, idEnd }: IdentityBytes): boolean {
  const nameLength = nameEnd - nameStart;
  const idLength = idEnd - idStart;
  if (entries[at + CONSUMER_LENGTH] !== nameLength || entries[at + CREDENTIAL_LENGTH] !== idLength) return false;
  const start = entries[at + TEXT] ?? 0;
  for (let index = 0; index < nameLength; index++) if (texts[start + index] !== bytes[nameStart + index]) return false;
  for (let index = 0; index < idLength; index++) if (texts[start + nameLength + index] !== bytes[idStart + index]) return false;
  return true;
}
