import { randomUUID } from 'node:crypto';
import { backoffDelayMs } from '../../lib/backoff.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { DatabaseOptions } from './client-settings.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import type { Listening, PostgresDatabase } from './postgres-database.ts';
import { presenceKey } from './run-transaction.ts';

const CHANNEL = 'portcullis_revision';
/** While nobody listens, revisions of others are found by asking every two seconds, and writes wait for that: it is to last no longer than need be. */
const RECONNECT = { firstDelayMs: 500, highestDelayMs: 1_000 };
/** PostgreSQL refuses a payload of 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_999;

type ListenedDatabase = Pick<PostgresDatabase, 'listen'> & { readonly options: Pick<DatabaseOptions, 'schema'> };

/** What has changed of a group. */
export type HintTopic = 'revisions' | 'instances';

/**
 * Tells other stores which groups have a new revision, and hears of theirs on a connection of its own, which exists while somebody watches. What is sent while that is down is lost, so each
 * new connection is a hint about all groups.
 */
export class RevisionListener {
  readonly #database: ListenedDatabase;
  readonly #clock: Clock;
  /** Knows what comes from here. */
  readonly #id = randomUUID();
  readonly #watchers = new Set<Watcher>();
  #failures = 0;
  #cancelRetry: CancelTask = () => undefined;
  #connection: Promise<Listening | undefined> | undefined;

  constructor(database: ListenedDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** To be called in the transaction; the others hear of it when that commits. */
  async announce(connection: PostgresConnection, groupIds: readonly string[], topic: HintTopic = 'revisions'): Promise<void> {
    for (const groupId of groupIds) {
      const payload = JSON.stringify([this.#database.options.schema, this.#id, groupId, topic]);
      const isTooLong = Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES;
      const sent = isTooLong ? JSON.stringify([this.#database.options.schema, this.#id, null, topic]) : payload;
      await connection.run('SELECT pg_notify($1, $2)', CHANNEL, sent);
    }
  }

  /** Returns its end, which resolves when nothing is open any more for the last watcher. */
  watch(onHint: (groupId: string | undefined) => void, topic: HintTopic = 'revisions'): () => Promise<void> {
    const watcher = { topic, onHint };
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#connect();
    return async () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) await this.#disconnect();
    };
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    await this.#disconnect();
  }

  #connect(): void {
    this.#connection = this.#listen();
  }

  async #listen(): Promise<Listening | undefined> {
    try {
      const listening = await this.#database.listen(CHANNEL, presenceKey(this.#database.options.schema), {
        onMessage: (payload) => this.#hear(payload),
        onEnd: () => this.#retry(),
      });
      this.#failures = 0;
      this.#tell(undefined, undefined);
      return listening;
    } catch {
      // What the watchers ask for by themselves fails as well, and says so.
      this.#retry();
      return undefined;
    }
  }

  #retry(): void {
    if (this.#watchers.size === 0) return;
    this.#failures += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.schedule(backoffDelayMs(this.#failures, RECONNECT), () => this.#connect());
  }

  async #disconnect(): Promise<void> {
    this.#cancelRetry();
    const connection = this.#connection;
    this.#connection = undefined;
    await (await connection)?.close();
  }

  #hear(payload: string): void {
    const message = parsePayload(payload);
    if (message?.schema === this.#database.options.schema && message.from !== this.#id) this.#tell(message.groupId, message.topic);
  }

  #tell(groupId: string | undefined, topic: HintTopic | undefined): void {
    for (const watcher of this.#watchers) if (topic === undefined || topic === watcher.topic) watcher.onHint(groupId);
  }
}

interface Watcher {
  readonly topic: HintTopic;
  readonly onHint: (groupId: string | undefined) => void;
}

/** Anybody who may use the database may send anything. */
function parsePayload(
  payload: string,
): { readonly schema: unknown; readonly from: unknown; readonly groupId: string | undefined; readonly topic: HintTopic } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const [schema, from, groupId, topic]: readonly unknown[] = value;
  return { schema, from, groupId: typeof groupId === 'string' ? groupId : undefined, topic: topic === 'instances' ? topic : 'revisions' };
}
