import type { JsonObject } from '../lib/json.ts';
import type { AuditColumns, ChainEnd } from './audit-chain.ts';
import type { AuditEntry, Author, ChangeOrigin, ResourceKey } from './store.ts';

/** One version of a resource, as history keeps it: never with a secret. */
export interface ResourceVersion {
  readonly key: ResourceKey;
  /** Counts all versions of the store in the order of writing. */
  readonly number: number;
  readonly revision: number;
  readonly op: 'put' | 'delete';
  readonly author: Author;
  readonly origin: ChangeOrigin;
  /** Unix seconds. */
  readonly at: number;
  /** Without its secrets; undefined for a delete. */
  readonly document: JsonObject | undefined;
  /** JSON pointers of the secrets that were left out. */
  readonly secretPointers: readonly string[];
  /**
   * For each of them the revision that first wrote this secret: two versions of a resource with the same number have the same secret. A
   * secret that was replaced and came back counts as another one.
   */
  readonly secretsSince: readonly number[];
}

/** What one write changed of a resource; `from` is undefined where there was nothing before, or nothing is known of it. */
export interface LastChange {
  readonly to: Pick<ResourceVersion, 'op' | 'document' | 'secretPointers' | 'secretsSince'>;
  readonly from: LastChange['to'] | undefined;
}

/** A version without its document: many of them need little memory. */
export type VersionHead = Omit<ResourceVersion, 'document'>;

/** One revision of a group: what one transaction changed. */
export interface GroupRevision {
  readonly revision: number;
  readonly at: number;
  readonly author: Author;
  readonly origin: ChangeOrigin;
  /** How many versions it made. */
  readonly changes: number;
}

/** An audit entry, where it came from, and its place in the log; numbers only grow and are never used twice. */
export interface NumberedAuditEntry extends AuditEntry {
  readonly number: number;
  readonly origin: ChangeOrigin;
  /** What chains it to the entry before; undefined when older software wrote it. */
  readonly hash: Buffer | undefined;
}

/** Which audit entries are wanted; all conditions must hold. */
export interface AuditQuery {
  readonly authorId?: string;
  readonly action?: string;
  readonly groupId?: string;
  /** Exactly this name. */
  readonly resource?: string;
  readonly address?: string;
  /** Unix seconds: not before, and before. */
  readonly from?: number;
  readonly until?: number;
}

/** The place of an entry in the log by time. */
export type AuditPlace = Pick<NumberedAuditEntry, 'at' | 'number'>;

/** What can be read of past states at any time; inside a transaction it sees the transaction's own writes. */
export interface HistoryReader {
  /** The versions of one resource, deletes included, the latest first; from below a version's number on where one is given. */
  listVersions(key: ResourceKey, limit: number, below?: number): Promise<readonly ResourceVersion[]>;
  /** The same without the documents. */
  listVersionHeads(key: ResourceKey, limit: number, below?: number): Promise<readonly VersionHead[]>;
  countVersions(key: ResourceKey): Promise<number>;
  /** The last version of a resource at or before a revision; undefined when there was none, or it is forgotten. */
  versionAt(key: ResourceKey, revision: number): Promise<ResourceVersion | undefined>;
  /** The revisions of a group, the latest first; from below one on where it is given. */
  listRevisions(groupId: string, limit: number, below?: number): Promise<readonly GroupRevision[]>;
  /** The versions that one revision made, in the order of writing. */
  listVersionsOfRevision(groupId: string, revision: number, limit: number): Promise<readonly VersionHead[]>;
  /** What was written or deleted after a revision, each once. */
  listChangedKeys(groupId: string, revision: number): Promise<readonly ResourceKey[]>;
  /** The first revision from which on every state of the group can be told whole. */
  historyKeptFrom(groupId: string): Promise<number>;
}

/** What of history and audit log is forgotten. Times are Unix seconds. */
export interface HistoryLimits {
  /** Versions that stopped being in force before this time, and removals before it. */
  readonly versionsBefore: number;
  /** Of versions that are no longer in force, those with a lower number; absent: none. */
  readonly versionsBelow?: number;
  /** The beginning of the audit log: entries up to the first that is not older than this. */
  readonly auditBefore: number;
  /** Entries with a lower number; absent: none. */
  readonly auditBelow?: number;
  /** How many of each go at once. */
  readonly limit: number;
}

/** One step on the way backwards through a log, adding up what it holds. */
export interface SizeStep {
  /** Where the next step goes on; undefined at the beginning of the log. */
  readonly below: number | undefined;
  /** About how many bytes the rows from the end to here hold. */
  readonly bytes: number;
  /** When those are more than allowed: rows with a lower number are too many. */
  readonly cut: number | undefined;
}

/** An audit entry as the chain is verified by it. */
export interface ChainedEntry {
  readonly columns: AuditColumns;
  readonly previousHash: Buffer | undefined;
  readonly hash: Buffer | undefined;
}

/** An end of the audit chain as it was kept; `damaged` when it is there and nobody's keyring opens it. */
export type KeptChainEnd = ChainEnd | 'missing' | 'damaged';

/** What the store remembers of the past. */
export interface StoreHistory extends HistoryReader {
  /** The audit log backwards from below `before`, or from its end, in the order of writing. */
  pageOfAudit(before: number | undefined, limit: number): Promise<readonly NumberedAuditEntry[]>;
  /** Entries that match, the latest by time first, from after `after`. */
  findAudit(query: AuditQuery, after: AuditPlace | undefined, limit: number): Promise<readonly NumberedAuditEntry[]>;
  /** The actions that occur in the log, sorted. */
  listAuditActions(): Promise<readonly string[]>;
  /** The log in the order of writing, from above a number, for `verifyAuditChain`. */
  pageOfChain(above: number, limit: number): Promise<readonly ChainedEntry[]>;
  /** @throws PortcullisError (`keyring_lacks_key`) when this keyring lacks a key that others have, and nothing can be said */
  readChainEnd(which: 'head' | 'anchor'): Promise<KeptChainEnd>;
  /**
   * Forgets at most `limit` each of versions that are no longer in force, of removals, and of audit entries, the oldest first. What is left
   * of the audit log still verifies. Returns how many went; call again until it is 0.
   */
  pruneHistory(limits: HistoryLimits): Promise<number>;
  /** Walks over at most `rows` rows of a log, backwards from below `from.below`, until `maxBytes` are exceeded. */
  measureHistory(log: 'versions' | 'audit', from: Pick<SizeStep, 'below' | 'bytes'>, maxBytes: number, rows: number): Promise<SizeStep>;
}
