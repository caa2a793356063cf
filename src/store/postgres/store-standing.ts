import type { StoreStanding } from '../store-standing.ts';

/** What `STANDING_COLUMNS` give. */
export interface StandingRow {
  readonly mark: string | null;
  readonly lacks_known: boolean;
}

/**
 * Where the store stands, as columns of a SELECT whose first parameters are those of `standingParameters`. Retention takes the beginning of
 * the audit log away: what has gone so was not lost.
 */
export const STANDING_COLUMNS = `
  (SELECT number || ':' || encode(hash, 'hex') FROM audit_entries ORDER BY number DESC LIMIT 1) AS mark,
  NOT EXISTS (SELECT FROM audit_entries WHERE number = $1::bigint AND hash = decode($2::text, 'hex'))
    AND EXISTS (SELECT FROM audit_entries WHERE number <= $1::bigint) AS lacks_known`;

/** Of a mark that the store has given; nothing is lacking when there is none. */
export function standingParameters(known: string | undefined): readonly [string | null, string | null] {
  const [number = null, hash = null] = known?.split(':') ?? [];
  return [number, hash];
}

export function standingOfRow(row: StandingRow): StoreStanding {
  return { mark: row.mark ?? undefined, lacksKnown: row.lacks_known };
}
