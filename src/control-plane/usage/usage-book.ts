import {
  asOther,
  type InstanceName,
  MAX_USAGE_ENTRIES_PER_BATCH,
  OTHER,
  type UsageEntry,
  type UsageReport,
  usageEntryOf,
} from '../../distribution/index.ts';
import { MAX_USAGE_REQUESTS, type UsageRow } from '../../store/index.ts';

type Sum = { -readonly [Field in keyof UsageRow]: UsageRow[Field] };

/** What is known of an instance that has told something. */
interface Teller {
  epoch: string;
  sequence: number;
  /** Entries since the last time that what is in the book was taken out. */
  entries: number;
}

/** Rows with names, of all groups, that may wait for the store; what is beyond goes to `OTHER`, of which there are a few for each group and hour. */
const MAX_ROWS = 50_000;
/** Instances that are remembered: of more, those that have been silent for longest are forgotten. */
const MAX_TELLERS = 10_000;
const HOUR_SECONDS = 3600;
/** A gateway that was cut off tells later of what it counted meanwhile. */
const MAX_AGE_SECONDS = 24 * HOUR_SECONDS;

/** What is known of one group. */
interface GroupSums {
  readonly named: Map<string, Sum>;
  readonly others: Map<string, Sum>;
}

/**
 * What gateways have told of who used what, added up until it is written. It has a bounded size whatever they tell: an instance may name
 * so many entries in an interval, and all groups together so many. Where they are more, each group has its even share: one that has less takes
 * the place of names of one that has more, which goes on without those.
 */
export class UsageBook {
  readonly #groups = new Map<string, GroupSums>();
  readonly #tellers = new Map<string, Teller>();
  #named = 0;
  #timesTakenOut = 0;

  get size(): number {
    let size = this.#named;
    for (const { others } of this.#groups.values()) size += others.size;
    return size;
  }

  /** How often it was emptied: what is taken now goes out the next time. */
  get timesTakenOut(): number {
    return this.#timesTakenOut;
  }

  /** Takes a message of an instance, whose group is the one that its certificate names. One that came before is left out. */
  take({ groupId, instanceId }: InstanceName, { epoch, sequence, entries }: UsageReport, nowSeconds: number): void {
    const teller = this.#tellerOf(groupId, instanceId);
    if (teller.epoch === epoch && sequence <= teller.sequence) return;
    teller.epoch = epoch;
    teller.sequence = sequence;
    for (const tuple of entries) {
      const entry = usageEntryOf(tuple);
      if (entry.requests === 0) continue;
      teller.entries++;
      this.#addEntry(teller.entries > MAX_USAGE_ENTRIES_PER_BATCH ? asOther(entry) : entry, groupId, instanceId, nowSeconds);
    }
  }

  /** Gives back rows that could not be written. */
  putBack(rows: readonly UsageRow[]): void {
    for (const row of rows) this.#add(row);
  }

  /** Everything; the book is empty then. */
  takeOut(): readonly UsageRow[] {
    const rows = [...this.#groups.values()].flatMap(({ named, others }) => [...named.values(), ...others.values()]);
    this.#timesTakenOut++;
    this.#groups.clear();
    this.#named = 0;
    for (const teller of this.#tellers.values()) teller.entries = 0;
    return rows;
  }

  #tellerOf(groupId: string, instanceId: string): Teller {
    const name = `${groupId}\0${instanceId}`;
    const teller = this.#tellers.get(name) ?? { epoch: '', sequence: -1, entries: 0 };
    this.#tellers.delete(name);
    this.#tellers.set(name, teller);
    if (this.#tellers.size > MAX_TELLERS) {
      const [oldest] = this.#tellers.keys();
      if (oldest !== undefined) this.#tellers.delete(oldest);
    }
    return teller;
  }

  #addEntry(entry: UsageEntry, groupId: string, instanceId: string, nowSeconds: number): void {
    // Whatever its clock says: nothing was used in the future, and what is told now did not happen long ago.
    const lastUsedAt = Math.min(Math.max(entry.lastUsedAt, nowSeconds - MAX_AGE_SECONDS), nowSeconds);
    this.#add({ ...entry, groupId, instanceId, lastUsedAt, at: lastUsedAt - (lastUsedAt % HOUR_SECONDS) });
  }

  #add(row: UsageRow): void {
    const sums = this.#sumsOf(row.groupId);
    const isOther = row.consumer === OTHER;
    const rows = isOther ? sums.others : sums.named;
    const key = keyOf(row);
    const sum = rows.get(key);
    if (sum !== undefined) addTo(sum, row);
    else if (isOther) rows.set(key, { ...row });
    else if (this.#makeRoomFor(sums)) {
      rows.set(key, { ...row });
      this.#named++;
    } else this.#add(rowOfOther(row));
  }

  #sumsOf(groupId: string): GroupSums {
    let sums = this.#groups.get(groupId);
    if (sums === undefined) {
      sums = { named: new Map(), others: new Map() };
      this.#groups.set(groupId, sums);
    }
    return sums;
  }

  /** Whether a group may have one more row with names. Where there is no room and it has less than its share, one that has more gives one up. */
  #makeRoomFor({ named }: GroupSums): boolean {
    if (this.#named < MAX_ROWS) return true;
    const share = Math.floor(MAX_ROWS / this.#groups.size);
    if (named.size >= share) return false;
    for (const { named: giving } of this.#groups.values()) {
      if (giving.size <= share) continue;
      for (const [key, row] of giving) {
        giving.delete(key);
        this.#named--;
        this.#add(rowOfOther(row));
        return true;
      }
    }
    return false;
  }
}

function addTo(sum: Sum, row: UsageRow): void {
  sum.requests = Math.min(sum.requests + row.requests, MAX_USAGE_REQUESTS);
  if (row.lastUsedAt <= sum.lastUsedAt) return;
  sum.lastUsedAt = row.lastUsedAt;
  sum.instanceId = row.instanceId;
}

/** The same without names. */
export function rowOfOther(row: UsageRow): UsageRow {
  return { ...row, ...asOther(row) };
}

/** Within its group. */
function keyOf({ consumer, credential, route, status, at }: UsageRow): string {
  return `${consumer}\0${credential}\0${route}\0${status}\0${at}`;
}
