import { ProtocolError } from './frame-codec.ts';
import { asArray, own, readCount, readFlag, readString, type UnknownFields } from './read-fields.ts';

/** Requests of one credential to one route with one status. Names only, never keys. */
export interface UsageEntry {
  /** `''` for a request of nobody who was identified. */
  readonly consumer: string;
  /** `''` also for a key that is written on the consumer itself. */
  readonly credential: string;
  /** `''` where no route took the request. */
  readonly route: string;
  /** As the client got it; 0 for one that was gone before it got any. Of `OTHER` rounded down to its hundred. */
  readonly status: number;
  readonly requests: number;
  /** Unix seconds. */
  readonly lastUsedAt: number;
}

/** An entry as messages carry it. */
export type UsageTuple = readonly [
  consumer: string,
  credential: string,
  route: string,
  status: number,
  requests: number,
  lastUsedAt: number,
];

/** What a gateway has counted since its last report, or a part of it. Sent once and never again: what is lost on the way is lost. */
export interface UsageReport {
  /** Of this process of the instance, chosen at random. */
  readonly epoch: string;
  /** Counts up by one with each message of the epoch; a number that is not above the last one is a repetition. */
  readonly sequence: number;
  readonly entries: readonly UsageTuple[];
  /** More waits until this is written: it should be soon. Absent: as usual. */
  readonly soon?: boolean;
}

/** All reports of the epoch up to this one are written: whatever becomes of the control plane, they are not lost. */
export type UsageKept = Pick<UsageReport, 'epoch' | 'sequence'>;

/** In place of consumer, credential and route: what had no room for names of its own. No id has this character. */
export const OTHER = '*';
/** Entries that an instance keeps and sends in one interval; what is beyond is added to `OTHER`. */
export const MAX_USAGE_ENTRIES_PER_BATCH = 20_000;
/** A message takes no more as JSON: well below what any control plane takes from a gateway in one frame. */
const MAX_USAGE_REPORT_BYTES = 48 * 1024;

const NAME = /^(?:[a-zA-Z0-9_.-]{0,512}|\*)$/;
const EPOCH = /^[0-9a-f]{1,64}$/;
const MAX_STATUS = 999;
const MAX_REQUESTS = 2 ** 40;

/** Names are ASCII; this is what stands around them and the numbers. */
const BYTES_AROUND_NAMES = 64;

/** Entries in parts that fit into one message each. */
export function* usageParts(entries: readonly UsageEntry[], maxBytes = MAX_USAGE_REPORT_BYTES): Generator<readonly UsageEntry[]> {
  let part: UsageEntry[] = [];
  let bytes = BYTES_AROUND_NAMES;
  for (const entry of entries) {
    const more = entry.consumer.length + entry.credential.length + entry.route.length + BYTES_AROUND_NAMES;
    if (bytes + more > maxBytes && part.length > 0) {
      yield part;
      part = [];
      bytes = BYTES_AROUND_NAMES;
    }
    part.push(entry);
    bytes += more;
  }
  if (part.length > 0) yield part;
}

export function usageTuple({ consumer, credential, route, status, requests, lastUsedAt }: UsageEntry): UsageTuple {
  return [consumer, credential, route, status, requests, lastUsedAt];
}

/** What `usageTuple` made. One with a name of `OTHER` has no other names. */
export function usageEntryOf([consumer, credential, route, status, requests, lastUsedAt]: UsageTuple): UsageEntry {
  const entry = { consumer, credential, route, status, requests, lastUsedAt };
  return consumer === OTHER || credential === OTHER || route === OTHER ? asOther(entry) : entry;
}

/** The same without its names: there are few of these, since the status is rounded down to its hundred. */
export function asOther(entry: UsageEntry): UsageEntry {
  return { ...entry, consumer: OTHER, credential: OTHER, route: OTHER, status: Math.floor(entry.status / 100) * 100 };
}

/** Reads a report; what an entry has beyond what is known is left out. @throws ProtocolError */
export function readUsageReport(fields: UnknownFields): UsageReport {
  const entries = asArray(own(fields, 'entries'), 'the field entries').map(readEntry);
  const soon = readFlag(fields, 'soon');
  return { ...readUsageKept(fields), entries, ...(soon === undefined ? {} : { soon }) };
}

/** Reads up to which report usage is written. @throws ProtocolError */
export function readUsageKept(fields: UnknownFields): UsageKept {
  const epoch = readString(fields, 'epoch');
  if (!EPOCH.test(epoch)) throw new ProtocolError('the field epoch is no epoch');
  return { epoch, sequence: readCount(fields, 'sequence') };
}

function readEntry(value: unknown): UsageTuple {
  const [consumer, credential, route, status, requests, lastUsedAt] = asArray(value, 'an entry of usage');
  return [
    ...([asName(consumer), asName(credential), asName(route)] as const),
    ...([asNumber(status, MAX_STATUS), asNumber(requests, MAX_REQUESTS), asNumber(lastUsedAt, Number.MAX_SAFE_INTEGER)] as const),
  ];
}

function asName(value: unknown): string {
  if (typeof value === 'string' && NAME.test(value)) return value;
  throw new ProtocolError('an entry of usage has a name that cannot be');
}

function asNumber(value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new ProtocolError('an entry of usage has a number that cannot be');
}
