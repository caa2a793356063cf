/** Lengths of time by which usage is kept, in seconds. */
export const USAGE_SPANS = { hour: 3600, day: 86_400 } as const;
export type UsageSpan = keyof typeof USAGE_SPANS;

/**
 * Most requests in a row; what is beyond is not counted. No gateway serves so many in a day, but one that says it does must not make a number
 * that no database can hold: the rows of all groups are written together.
 */
export const MAX_USAGE_REQUESTS = 2 ** 40;

/** What gateways have counted of one credential, route and status within an hour; `''` for none, `*` for what had no room of its own. */
export interface UsageRow {
  readonly groupId: string;
  readonly consumer: string;
  readonly credential: string;
  readonly route: string;
  readonly status: number;
  /** Unix seconds: some moment of the hour. */
  readonly at: number;
  readonly requests: number;
  readonly lastUsedAt: number;
  /** The instance that saw the last use. */
  readonly instanceId: string;
}

/** What usage can be told apart by, in the order in which sums are sorted. */
export const USAGE_DIMENSIONS = ['consumer', 'credential', 'service', 'route', 'status'] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** Which usage is asked for. All conditions must hold. */
export interface UsageQuery {
  readonly groupId: string;
  readonly span: UsageSpan;
  /** Unix seconds; hours or days that begin in [from, until). */
  readonly from: number;
  readonly until: number;
  readonly equals: Readonly<Partial<Record<Exclude<UsageDimension, 'status'>, string>>>;
  readonly splitBy: readonly UsageDimension[];
  readonly limit: number;
}

/** Requests of one hour or day, told apart as asked. */
export interface UsageSum {
  readonly startsAt: number;
  readonly requests: number;
  readonly of: Readonly<Partial<Record<UsageDimension, string | number>>>;
}

/** When something was last used, and at which instance. */
export interface LastUse {
  readonly at: number;
  readonly instanceId: string;
}

/** A credential that was not used since some time. */
export interface UnusedCredential {
  readonly consumer: string;
  readonly credential: string;
  readonly createdAt: number;
  /** Undefined: never, as far as is known. */
  readonly lastUsedAt: number | undefined;
}

/** Where a search for unused credentials goes on. */
export interface CredentialPlace {
  readonly consumer: string;
  readonly credential: string;
}

/**
 * Who used what, and how often. It belongs to no revision and no history; several control planes add to it at once. What is told of a
 * credential or route stays when that is deleted, until it is too old.
 */
export interface UsageStore {
  /**
   * Adds all rows, or none. A row of a consumer, credential or route that the group has never had is left out.
   *
   * @throws PortcullisError (`store_unavailable`): none was added; `UsageInDoubt`: nobody knows yet
   */
  record(rows: readonly UsageRow[]): Promise<void>;
  /** How many credentials, routes and statuses are told apart in an hour of a group, counted up to `limit`. */
  countRows(groupId: string, hour: number, limit: number): Promise<number>;
  /** Oldest first; at most `limit`. */
  find(query: UsageQuery): Promise<readonly UsageSum[]>;
  /** The last use of a consumer's credential; without `credential` of any of them. */
  lastUse(groupId: string, consumer: string, credential?: string): Promise<LastUse | undefined>;
  /**
   * Looks at `limit` credentials of the group, in the order of their names, and gives those that are older than `before` (Unix seconds) and
   * were not used since. `next`: where to go on; undefined when all were looked at.
   */
  unusedCredentials(
    groupId: string,
    before: number,
    after: CredentialPlace | undefined,
    limit: number,
  ): Promise<{ readonly unused: readonly UnusedCredential[]; readonly next: CredentialPlace | undefined }>;
  /** Removes at most `limit` rows of hours and of days that began before these times, and last uses of what is gone. @returns how many it removed */
  prune(before: { readonly hours: number; readonly days: number }, limit: number): Promise<number>;
}

/** A store that keeps usage, too. */
export interface StoreUsage {
  readonly usage: UsageStore;
}
