import { ProtocolError } from './frame-codec.ts';
import { asArray, asObject, own, parseJson, readCount, readString } from './read-fields.ts';

/**
 * One start of a control plane over a store, and with it one stretch of the group's revisions: from the first revision up to the
 * first one of the session that came next. A store that is set back to a copy loses the sessions since, and the last one it knows
 * ends where the copy ended. So a revision and the session that it came from name one state of the configuration, while the
 * number alone may name two.
 */
export interface HistorySession {
  readonly id: string;
  /** By group id: its revision when the session began. A group that is not named was at 0 or did not exist. */
  readonly firstRevisions: ReadonlyMap<string, number>;
}

/** The history that a control plane goes on with. */
export interface ConfigurationHistory {
  /** Of the session that began with this start. */
  readonly id: string;
  /**
   * The revision, which a gateway got in the session `id`, is part of what has led to the store's present state. For the present
   * session the caller has to see to it that the revision is not beyond the group's newest.
   */
  accepts(groupId: string, revision: number, id: string): boolean;
  /** Whether the store still goes on with it: nobody has begun another session, and the store was not set back to a time before it. */
  isPresent(): Promise<boolean>;
}

/** Gateways that were away for more starts than this get a snapshot. */
const MAX_SESSIONS = 1_000;
/** All sessions together, so that a store of many groups does not write megabytes with each start. */
const MAX_FIRST_REVISIONS = 50_000;

/** The sessions with one more that begins now; the oldest are forgotten when they become too many. */
export function beginSession(
  sessions: readonly HistorySession[],
  id: string,
  groups: Iterable<{ readonly id: string; readonly revision: number }>,
): readonly HistorySession[] {
  const written = [...groups].filter((group) => group.revision > 0);
  const firstRevisions = new Map(written.map((group) => [group.id, group.revision]));
  const kept = [...sessions, { id, firstRevisions }].slice(-MAX_SESSIONS);
  let count = 0;
  const tooOld = kept.findLastIndex((session) => {
    count += session.firstRevisions.size;
    return count > MAX_FIRST_REVISIONS;
  });
  return kept.slice(Math.min(tooOld + 1, kept.length - 1));
}

/** The last of the sessions is the present one, and open at its end. */
export function isInSession(sessions: readonly HistorySession[], groupId: string, revision: number, id: string): boolean {
  const index = sessions.findIndex((session) => session.id === id);
  const session = sessions[index];
  if (session === undefined) return false;
  const next = sessions[index + 1];
  const first = session.firstRevisions.get(groupId) ?? 0;
  const last = next === undefined ? Number.POSITIVE_INFINITY : (next.firstRevisions.get(groupId) ?? 0);
  return first <= revision && revision <= last;
}

/** As the store keeps them: JSON, the oldest first. */
export function encodeSessions(sessions: readonly HistorySession[]): Buffer {
  return Buffer.from(JSON.stringify(sessions.map(({ id, firstRevisions }) => ({ id, firstRevisions: [...firstRevisions] }))));
}

/** None for what cannot be read: then no gateway's history is known, and each gets a snapshot. */
export function parseSessions(bytes: Buffer | undefined): readonly HistorySession[] {
  if (bytes === undefined) return [];
  try {
    return asArray(parseJson(bytes.toString()), 'the history').map(readSession);
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}

function readSession(value: unknown): HistorySession {
  const fields = asObject(value, 'a session');
  const entries = asArray(own(fields, 'firstRevisions'), 'the first revisions').map((entry): readonly [string, number] => {
    const pair = asArray(entry, 'a first revision');
    const named = { groupId: pair[0], revision: pair[1] };
    return [readString(named, 'groupId'), readCount(named, 'revision')];
  });
  return { id: readString(fields, 'id'), firstRevisions: new Map(entries) };
}
