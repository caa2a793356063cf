/** Where a store stands among all states that it had. */
export interface StoreStanding {
  /** Names its last audit entry, by number first and by hash, and so all that was committed before that. Absent: there is none. */
  readonly mark?: string | undefined;
  /** It does not hold the mark that was asked about: it was set back since, as a database is that fails over to a replica which was behind. */
  readonly lacksKnown: boolean;
}
