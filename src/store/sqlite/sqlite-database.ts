import BetterSqlite3 from 'better-sqlite3';
import { PortcullisError } from '../../errors/index.ts';

/** What can be bound to a statement. */
export type SqlValue = string | number | null | Uint8Array;

/** SQLite refused something. `code` is its extended result code by name, e.g. `SQLITE_BUSY`. */
export class SqliteFailure extends Error {
  readonly code: string;

  constructor(code: string, cause: unknown) {
    super(`${code}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'SqliteFailure';
    this.code = code;
  }
}

/**
 * One connection to a database file. This is the only file that knows the driver.
 *
 * Statements are prepared once and kept by their text, so every text must be a constant of the program. Text that UTF-8 cannot express
 * is refused: SQLite would store something else in its place, and two names could become one.
 *
 * Any method throws `SqliteFailure`, or PortcullisError (`admin_invalid`) for such text.
 */
export class SqliteDatabase {
  readonly #driver: BetterSqlite3.Database;
  readonly #statements = new Map<string, BetterSqlite3.Statement<SqlValue[]>>();

  /** `file` is an absolute path. Waits up to `busyTimeoutMs`, and blocks the thread meanwhile, for locks of other connections. */
  constructor(file: string, options: { readonly readOnly: boolean; readonly busyTimeoutMs: number }) {
    this.#driver = guarded(
      () => new BetterSqlite3(file, { readonly: options.readOnly, fileMustExist: true, timeout: options.busyTimeoutMs }),
    );
  }

  /** Whether a transaction is open; SQLite ends one by itself when, for example, the disk is full. */
  get inTransaction(): boolean {
    return this.#driver.inTransaction;
  }

  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    // The caller names the columns in the statement and the row's type beside it: this is where rows are taken at their word.
    return guarded(() => this.#prepare(sql, values).get(...values)) as Row | undefined;
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return guarded(() => this.#prepare(sql, values).all(...values)) as Row[];
  }

  /** The first column of each row. */
  column<Value>(sql: string, ...values: readonly SqlValue[]): Value[] {
    return guarded(() => {
      const statement = this.#prepare(sql, values).pluck(true);
      try {
        return statement.all(...values);
      } finally {
        statement.pluck(false);
      }
    }) as Value[];
  }

  /** The rows one by one, each the values of its columns in order. Until the last one was taken, the connection can do nothing else. */
  *iterate(sql: string): Generator<readonly unknown[]> {
    const statement = guarded(() => this.#driver.prepare(sql).raw(true));
    // The driver's own iterator is what may fail, at each step.
    const rows = statement.iterate();
    try {
      for (let next = guarded(() => rows.next()); next.done !== true; next = guarded(() => rows.next()))
        yield next.value as readonly unknown[];
    } finally {
      rows.return?.();
    }
  }

  /** Returns how many rows were changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return guarded(() => this.#prepare(sql, values).run(...values)).changes;
  }

  /** Runs statements that bind nothing and return nothing. */
  execute(sql: string): void {
    guarded(() => this.#driver.exec(sql));
  }

  /** Sets or reads a pragma; what it answers is the first column of the first row. */
  pragma(text: string): unknown {
    return guarded(() => this.#driver.pragma(text, { simple: true }));
  }

  close(): void {
    this.#driver.close();
  }

  #prepare(sql: string, values: readonly SqlValue[]): BetterSqlite3.Statement<SqlValue[]> {
    for (const value of values) {
      if (typeof value === 'string' && !value.isWellFormed()) {
        throw new PortcullisError('admin_invalid', { publicMessage: 'a name holds half a surrogate pair, which is no character' });
      }
    }
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#driver.prepare<SqlValue[]>(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function guarded<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof BetterSqlite3.SqliteError) throw new SqliteFailure(error.code, error);
    throw error;
  }
}
