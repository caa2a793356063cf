import type { JsonObject } from '../lib/json.ts';
import type { HistoryReader, LastChange } from './history.ts';
import type { InstanceMemory, InstanceRegistry } from './instance-registry.ts';
import type { StoreStanding } from './store-standing.ts';

/** What names one resource. `parentId` is the username for credentials and empty for all other kinds. */
export interface ResourceKey {
  readonly groupId: string;
  /** The kind's name in the singular: `service`, `route`, `consumer`, `credential`, … */
  readonly kind: string;
  readonly parentId: string;
  readonly id: string;
}

/** A value that only one resource of a group may hold, e.g. the digest of an API key in the space `key-auth`. */
export interface UniqueValue {
  readonly space: string;
  readonly digest: Buffer;
}

/**
 * What all resources of a group that use one name must agree about, e.g. the configuration behind the name of a counter that they share.
 * Name and value are digests of one length.
 */
export interface SharedValue {
  readonly space: string;
  readonly name: Buffer;
  readonly value: Buffer;
}

/** Who wrote, when a person or program did. */
export interface Author {
  /** A token's or user's id; `system` for the product itself, `cli` for the command line. */
  readonly id: string;
  readonly name: string;
  /** Where the change comes from, as history and audit log keep it; absent: what the id tells. */
  readonly origin?: ChangeOrigin;
}

/** By which way a change came in. */
export type ChangeSource = 'api' | 'cli' | 'system';

/** Where a change comes from. All text in it is bounded and printable. */
export interface ChangeOrigin {
  readonly source: ChangeSource;
  /** The client's address, when the change came over the network. */
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
  /** What the author gave as the reason. */
  readonly reason: string | undefined;
  readonly requestId: string | undefined;
}

export interface StoredResource {
  readonly key: ResourceKey;
  /** The document with its secrets in place, or without those that were not asked for. */
  readonly document: JsonObject;
  readonly revision: number;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly unique: readonly UniqueValue[];
}

export interface ResourceWrite {
  readonly key: ResourceKey;
  /** The whole new document, secrets in clear. */
  readonly document: JsonObject;
  /** JSON pointers (RFC 6901) of the string fields to be encrypted at rest. */
  readonly secretPointers: readonly string[];
  readonly unique: readonly UniqueValue[];
  /** None where absent. */
  readonly shared?: readonly SharedValue[];
  /** The resource that takes this one along when it is deleted: a route's service, a credential's consumer. */
  readonly owner: { readonly kind: string; readonly id: string } | undefined;
  /** Write only over this revision; 0 demands that the resource does not exist; absent: last write wins. */
  readonly expectedRevision?: number;
}

export interface ResourceQuery {
  readonly groupId: string;
  readonly kind: string;
  readonly parentId?: string;
  /** Only resources owned by this one. */
  readonly owner?: { readonly kind: string; readonly id: string };
  /** Top-level equality on the document's labels, AND-ed. */
  readonly labels?: ReadonlyMap<string, string>;
}

/** By what a list is ordered: the last write, the creation, or the name without case (the id where there is no name). */
export type ListOrder = 'updated' | 'created' | 'name';

/** Which resources a list holds, in which order, and which part of it is wanted. All conditions must hold. */
export interface ResourceSelection {
  readonly groupId: string;
  readonly kind: string;
  readonly owner?: { readonly kind: string; readonly id: string };
  /** Top-level equality on the document's labels. */
  readonly labels?: ReadonlyMap<string, string>;
  /** Names of labels, whatever their values. */
  readonly labelNames?: readonly string[];
  /** A part of id, name or `desc`, without case. */
  readonly search?: string;
  readonly order: ListOrder;
  readonly direction: 'ascending' | 'descending';
  /** Absent: everything. */
  readonly part?: ListPart;
  /** Of everything: tells where each entry stands, too. */
  readonly withPlaces?: true;
}

/** A part by its place, or what follows a cursor, which costs the same everywhere and never repeats an entry. */
export type ListPart =
  | { readonly kind: 'page'; readonly offset: number; readonly limit: number }
  | { readonly kind: 'after'; readonly cursor: string; readonly limit: number };

/** Where each entry of a whole list stands: whoever leaves some of them out can still page what is left by cursors. */
export interface ListPlaces {
  /** What a client gets to continue after the entry at this index. */
  cursorAt(index: number): string;
  /** The index of the first entry behind a cursor; the list's length when there is none. @throws PortcullisError (`admin_invalid`) for no such cursor */
  firstBehind(cursor: string): number;
}

/** What a selection found. */
export interface SelectedResources {
  /** Their numbers in the database, in the order asked for: to be handed to `resourcesAt`. */
  readonly rows: readonly number[];
  /** How many the whole list has. */
  readonly total: number;
  /** The cursor to what follows this part; undefined at the end of the list. */
  readonly next: string | undefined;
  /** Where the rows stand, for a selection of everything that asked for it. */
  readonly places?: ListPlaces;
}

/** One resource that was written or deleted after a revision. */
export type ResourceChange =
  | { readonly op: 'put'; readonly resource: StoredResource }
  | { readonly op: 'delete'; readonly key: ResourceKey; readonly revision: number };

export interface GatewayGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Counts up by one with every transaction that writes resources of the group. */
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface User {
  readonly id: string;
  readonly username: string;
  /** PHC string of argon2id. */
  readonly passwordHash: string;
  /** Of its owner's next sign-in by password: nothing else is allowed before that. */
  readonly mustChangePassword: boolean;
  /** Ids of the roles. */
  readonly roles: readonly string[];
  /** Ids of the permission policies that bound what the roles allow; none for no bound. */
  readonly boundary: readonly string[];
  /** By what an identity provider knows the user, unique in the store; undefined for one who signs in by password. */
  readonly externalId: string | undefined;
  /** What else is kept: name, e-mail address, labels. No secret. */
  readonly profile: JsonObject;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly userId: string;
  /** SHA-256 of the token. The token itself is shown once and kept nowhere. */
  readonly tokenHash: Buffer;
  /** Unix seconds; 0: never. */
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  /** The last use that was recorded; only `recordTokenUse` changes it. */
  readonly lastUsedAt: number | undefined;
  readonly createdAt: number;
}

/**
 * Something that is no resource and has no history: a role, a permission policy, a session, an invite, a login option, a join token, an instance.
 * Which kinds there are is the control plane's business.
 */
export interface StoredRecord {
  readonly kind: string;
  readonly id: string;
  /** The user whose record it is, for sessions and invites; the gateway group, for join tokens and instances. */
  readonly ownerId: string | undefined;
  /** Unique within the kind. */
  readonly name: string | undefined;
  /** With its secrets in place, or without them where they were not asked for. */
  readonly document: JsonObject;
  /** Unix seconds; 0: never. The store itself still finds an expired record until it is removed. */
  readonly expiresAt: number;
  /** Counts up by one with every write, from 1. */
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface RecordWrite extends Pick<StoredRecord, 'kind' | 'id' | 'ownerId' | 'name' | 'document' | 'expiresAt'> {
  /** JSON pointers (RFC 6901) of the fields to be encrypted at rest. */
  readonly secretPointers: readonly string[];
}

export interface AuditEntry {
  readonly at: number;
  readonly author: Author;
  /** e.g. `service.put`, `token.create`. */
  readonly action: string;
  readonly groupId: string | undefined;
  readonly resource: string;
  /** Client address, when the change came over the network. */
  readonly address: string | undefined;
  /** What else is worth keeping; no secret. */
  readonly detail: JsonObject;
}

/** What can be read at any time; inside a transaction it sees the transaction's own writes. */
export interface StoreReader {
  getResource(key: ResourceKey, options?: ReadOptions): Promise<StoredResource | undefined>;
  /** All that match, most recently updated first. */
  listResources(query: ResourceQuery, options?: ReadOptions): Promise<readonly StoredResource[]>;
  /**
   * A list without its documents. The place of a page does not change its cost, as long as the list is that of a kind, an owner or one label;
   * any other is counted anew each time.
   *
   * @throws PortcullisError (`admin_invalid`) for a cursor that is none
   */
  selectResources(selection: ResourceSelection): Promise<SelectedResources>;
  /** The resources of a selection that still exist, in the order of `rows`. */
  resourcesAt(
    list: { readonly groupId: string; readonly kind: string },
    rows: readonly number[],
    options?: ReadOptions,
  ): Promise<readonly StoredResource[]>;
  /** Who holds a unique value. */
  findUnique(groupId: string, value: UniqueValue): Promise<ResourceKey | undefined>;
  getGroup(groupId: string): Promise<GatewayGroup | undefined>;
  listGroups(): Promise<readonly GatewayGroup[]>;
  /** One page of the group's live resources in a fixed order; pass the last key of a page to get the next. Secrets are omitted unless asked for. */
  pageOfResources(
    groupId: string,
    after: ResourceKey | undefined,
    limit: number,
    options?: ReadOptions,
  ): Promise<readonly StoredResource[]>;
  /**
   * The last change of every resource touched in revisions (`revision`, now], oldest first; undefined when history no longer reaches
   * back that far, or not yet that far. Secrets are omitted unless asked for. Since only last changes are told, a unique value may appear
   * at its new holder before the change that took it from the old one.
   */
  changesSince(
    groupId: string,
    revision: number,
    options?: ReadOptions & { /** A mark of the store, to be looked for in the same state. */ readonly known?: string | undefined },
  ): Promise<
    | {
        readonly revision: number;
        readonly changes: readonly ResourceChange[];
        /** Of the state that was read; absent when nothing was asked, and from a store that only one process writes to. */
        readonly standing?: StoreStanding | undefined;
      }
    | undefined
  >;
  /** A value kept for the installation itself; decrypted when it was put as a secret. */
  getSetting(name: string): Promise<Buffer | undefined>;
  findUserByName(username: string): Promise<User | undefined>;
  listUsers(): Promise<readonly User[]>;
  getUser(id: string): Promise<User | undefined>;
  findUserByExternalId(externalId: string): Promise<User | undefined>;
  findTokenByHash(tokenHash: Buffer): Promise<ApiToken | undefined>;
  getToken(id: string): Promise<ApiToken | undefined>;
  /** The tokens of a user, revoked ones too, the newest first. */
  listTokens(userId: string): Promise<readonly ApiToken[]>;
  /** Secrets are left out unless asked for. */
  getRecord(kind: string, id: string, options?: { readonly secrets?: boolean }): Promise<StoredRecord | undefined>;
  findRecordByName(kind: string, name: string): Promise<StoredRecord | undefined>;
  /** All of a kind, or those of one owner, most recently updated first, without their secrets. */
  listRecords(kind: string, ownerId?: string): Promise<readonly StoredRecord[]>;
}

/**
 * Which encrypted fields a document is read with. `omit` leaves all of them out and needs no key; a function is asked for each field by the
 * resource and the field's JSON pointer, and what it declines is left out without being opened.
 */
export type SecretSelection = 'include' | 'omit' | ((key: ResourceKey, pointer: string) => boolean);

export interface ReadOptions {
  /** Where a method says nothing else, the default is `include`. */
  readonly secrets?: SecretSelection;
}

/** What a transaction is about to read and write: resources, what they are to hold, and the revision of the past at which they are looked at. */
export interface Foresight {
  readonly groupId: string;
  readonly keys: readonly ResourceKey[];
  readonly unique?: readonly UniqueValue[];
  readonly revision?: number;
}

/** What can be written. Resource writes of one transaction and one group share one new revision. */
export interface StoreTransaction extends StoreReader, HistoryReader {
  /** Says what comes next, so that a database across a network is asked once for all of it. It changes nothing else. */
  foresee(foresight: Foresight): Promise<void>;
  /** The last change of a resource; undefined when it has no version. */
  lastChange(key: ResourceKey): Promise<LastChange | undefined>;
  /**
   * Each conflict is found before anything is written, so the work may catch it and go on; after any other failure of a write the
   * transaction cannot commit.
   *
   * @throws UniqueConflict, SharedConflict, RevisionConflict, PortcullisError (`admin_not_found` for an unknown group, `admin_invalid` for a name that is
   * not well-formed text).
   */
  putResource(write: ResourceWrite): Promise<StoredResource>;
  /** Deletes the resource and all it owns, transitively; false when there was nothing. @throws RevisionConflict */
  deleteResource(key: ResourceKey, expectedRevision?: number): Promise<boolean>;
  /**
   * Lets go of the unique and shared values of a resource that this transaction writes or deletes afterwards, so that another may have them
   * first: two resources can exchange their keys. A transaction that does not keep to it cannot commit. Of what does not exist it lets go of nothing.
   */
  releaseValues(key: ResourceKey): Promise<void>;
  /** Deletes the resource and leaves what it owns; false when there was nothing. For whoever decides about each of those himself. */
  deleteResourceAlone(key: ResourceKey): Promise<boolean>;
  putGroup(group: { readonly id: string; readonly name: string; readonly description: string }): Promise<GatewayGroup>;
  /**
   * Deletes a group that holds no resource; false when there was none. Groups that are made later begin above its revision.
   *
   * @throws PortcullisError (`admin_conflict`) while it holds one
   */
  deleteGroup(groupId: string): Promise<boolean>;
  /** Lets every group go on so many revisions further, those too that are made later: above what a database had given before it lost it. */
  leapRevisions(by: number): Promise<void>;
  putSetting(name: string, value: Buffer, options: { readonly secret: boolean }): Promise<void>;
  /** @throws PortcullisError (`admin_conflict`) when another user has the name or external id; nothing is written then. */
  putUser(user: User): Promise<void>;
  /** False when there was none. Tokens and records of the user are not touched. */
  deleteUser(id: string): Promise<boolean>;
  putToken(token: ApiToken): Promise<void>;
  /** Keeps the latest use of a token. */
  recordTokenUse(id: string, at: number): Promise<void>;
  /** @throws PortcullisError (`admin_conflict`) when another record of the kind has the name; nothing is written then. */
  putRecord(write: RecordWrite): Promise<StoredRecord>;
  /** Moves a record's expiry and changes nothing else of it; false when there is no such record. */
  moveRecordExpiry(kind: string, id: string, expiresAt: number): Promise<boolean>;
  /** False when there was none. */
  deleteRecord(kind: string, id: string): Promise<boolean>;
  /** All records of a kind that belong to a user; returns how many went. */
  deleteRecordsOf(kind: string, ownerId: string): Promise<number>;
  /** At most `limit` records that expired before a time (Unix seconds); returns how many went. */
  deleteExpiredRecords(before: number, limit: number): Promise<number>;
  /** Chains the entry to the one before, with what the transaction's author tells of where it comes from. */
  appendAudit(entry: AuditEntry): Promise<void>;
}

/**
 * The one place where configuration lives. Drivers: SQLite (embedded), PostgreSQL; one contract suite runs over all.
 *
 * A transaction that resolved is durable: it survives kill -9 and power loss. Transactions are serialised; one that throws
 * leaves nothing behind. Revisions of a group have no gaps and never run backwards.
 */
export interface Store extends StoreReader {
  transaction<Result>(author: Author, work: (transaction: StoreTransaction) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** How the pool of connections to a database is used. */
export interface ConnectionUse {
  readonly open: number;
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
  /** Most that may be open. */
  readonly most: number;
}

/** How a store tells of what other processes write. */
export interface RevisionHints {
  /**
   * Calls `onHint` soon after another process has raised a group's revision; `undefined` stands for any group. A hint may be
   * missing, late or needless: the group's revision in the store is what counts, and is to be asked for now and then without a hint too.
   * Returns the end of the watch.
   */
  watchRevisions(onHint: (groupId: string | undefined) => void): () => Promise<void>;
  /** Where the store stands, and whether it still holds the mark `known` that it gave. Absent from a store that only one process writes to. */
  readStanding?(known: string | undefined): Promise<StoreStanding>;
  /** How the connections to its database are used; absent from a store that is a file. */
  connections?(): ConnectionUse;
  /** Absent from a store that only one control plane can use. */
  readonly instanceRegistry?: InstanceRegistry;
  /** Absent from a store that has a registry. */
  readonly instanceMemory?: InstanceMemory;
}
