import pg from 'pg';
import type { ConnectionUse } from '../store.ts';
import { clientSettings, type DatabaseOptions, sessionSettings } from './client-settings.ts';
import { PostgresConnection, type StatementNames } from './postgres-connection.ts';
import { PostgresFailure } from './postgres-failure.ts';

/** Idle connections go after this time, but for one. */
const IDLE_TIMEOUT_MS = 60_000;
/** So that connections spread over new servers behind one name. */
const MAX_LIFETIME_SECONDS = 3_600;

/** A connection that waits for notifications. */
export interface Listening {
  close(): Promise<void>;
}

/**
 * A bounded pool of connections to one database. This file, with its settings and connections, is all that knows the driver.
 *
 * A connection that fails is taken out, whoever notices, and a new one is made when one is wanted: a server that was away is found again
 * without anybody's doing.
 */
export class PostgresDatabase {
  readonly options: DatabaseOptions;
  readonly #pool: pg.Pool;
  readonly #names: StatementNames = new Map();

  constructor(options: DatabaseOptions) {
    this.options = options;
    this.#pool = new pg.Pool({
      ...clientSettings(options),
      max: options.connections,
      min: 1,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      onConnect: async (client) => {
        // Without a listener, the end of a connection that is in use and has nothing to do at that moment would end the process.
        client.on('error', () => undefined);
        await client.query(sessionSettings(options));
      },
    });
    this.#pool.on('error', () => undefined);
  }

  /** Lends a connection; one that `work` leaves in a transaction, or that fails in it, is closed. @throws PostgresFailure, what `work` throws */
  async lend<Result>(work: (connection: PostgresConnection) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    const connection = new PostgresConnection(client, this.#names);
    try {
      return await work(connection);
    } finally {
      client.release(connection.isLost || client.getTransactionStatus() !== 'I');
    }
  }

  /**
   * As `lend`, but a connection that turns out to be lost before `work` said that it has begun is replaced by another, once: it may have
   * lain idle while the server was restarted.
   */
  async lendFresh<Result>(work: (connection: PostgresConnection, onBegun: () => void) => Promise<Result>): Promise<Result> {
    let hasBegun = false;
    const attempt = () =>
      this.lend((connection) =>
        work(connection, () => {
          hasBegun = true;
        }),
      );
    try {
      return await attempt();
    } catch (error) {
      if (hasBegun || !(error instanceof PostgresFailure) || error.connection !== 'lost') throw error;
      return await attempt();
    }
  }

  /**
   * Opens a connection of its own on which notifications arrive until it ends. As long as it is open it shares the advisory lock `presence`.
   *
   * @throws PostgresFailure
   */
  async listen(
    channel: string,
    presence: string,
    handlers: { readonly onMessage: (payload: string) => void; readonly onEnd: () => void },
  ): Promise<Listening> {
    const client = new pg.Client(clientSettings(this.options));
    client.on('error', () => undefined);
    try {
      await client.connect();
      client.on('notification', ({ payload }) => handlers.onMessage(payload ?? ''));
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}; SELECT pg_advisory_lock_shared(${presence})`);
    } catch (error) {
      void client.end().catch(() => undefined);
      throw new PostgresFailure(error, false);
    }
    client.once('end', handlers.onEnd);
    return { close: () => client.end() };
  }

  get use(): ConnectionUse {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { open: totalCount, idle: idleCount, waiting: waitingCount, most: this.options.connections };
  }

  /** Waits for lent connections and closes all. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw new PostgresFailure(error, false);
    }
  }
}
