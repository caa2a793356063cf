import type { ClientBase } from 'pg';
import { PortcullisError } from '../../errors/index.ts';
import { PostgresFailure } from './postgres-failure.ts';
import { encodeText } from './text-encoding.ts';

/** What can be bound to a statement. */
export type SqlValue = string | number | null | Uint8Array | readonly (string | null)[];

/** Names of prepared statements by their text, shared by all connections. Every text must be a constant of the program. */
export type StatementNames = Map<string, string>;

/**
 * One connection, for one caller at a time. Statements are prepared once on each connection and kept. What is asked for before an answer
 * has come is sent at once and done in order: statements that do not need each other's results take one round trip together.
 *
 * Text that UTF-8 cannot express is refused, as it is with SQLite: two names could become one. Any method throws `PostgresFailure`, or
 * PortcullisError (`admin_invalid`) for such text, before anything is sent.
 */
export class PostgresConnection {
  readonly #client: ClientBase;
  readonly #names: StatementNames;
  #isLost = false;

  constructor(client: ClientBase, names: StatementNames) {
    this.#client = client;
    this.#names = names;
  }

  /** Whether it must not be used again. */
  get isLost(): boolean {
    return this.#isLost;
  }

  async get<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, ...values))[0];
  }

  async all<Row>(sql: string, ...values: readonly SqlValue[]): Promise<Row[]> {
    // The caller names the columns in the statement and the row's type beside it: this is where rows are taken at their word.
    return (await this.#query(sql, values)).rows as Row[];
  }

  /** Returns how many rows were changed. */
  async run(sql: string, ...values: readonly SqlValue[]): Promise<number> {
    return (await this.#query(sql, values)).rowCount ?? 0;
  }

  /** Runs statements that bind nothing, in one round trip; returns what PostgreSQL says it did last, e.g. `COMMIT`. */
  async execute(sql: string): Promise<string> {
    return (await this.#executeAll(sql))?.command ?? '';
  }

  /** As `execute`; returns the rows of the last statement. */
  async executeAndRead(sql: string): Promise<readonly unknown[]> {
    return (await this.#executeAll(sql))?.rows ?? [];
  }

  async #executeAll(sql: string): Promise<{ readonly command: string; readonly rows: readonly unknown[] } | undefined> {
    const result = await this.#guarded(() => this.#client.query(sql));
    // Several statements have several results, which the types do not know of.
    const results: readonly { readonly command: string; readonly rows: readonly unknown[] }[] = Array.isArray(result) ? result : [result];
    return results.at(-1);
  }

  #query(sql: string, values: readonly SqlValue[]) {
    const bound = values.map(bind);
    let name = this.#names.get(sql);
    if (name === undefined) {
      name = `portcullis_${this.#names.size + 1}`;
      this.#names.set(sql, name);
    }
    const query = { name, text: sql, values: bound };
    return this.#guarded(() => this.#client.query(query));
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const failure = new PostgresFailure(error, true);
      if (failure.connection !== 'kept') this.#isLost = true;
      throw failure;
    }
  }
}

function bind(value: SqlValue): SqlValue {
  if (typeof value === 'string') return bindText(value);
  // Bytes have no list of texts in them.
  return Array.isArray(value) ? value.map((each: string | null) => each && bindText(each)) : value;
}

function bindText(text: string): string {
  assertWellFormed(text);
  return encodeText(text);
}

/** @throws PortcullisError (`admin_invalid`) for text that UTF-8 cannot express */
export function assertWellFormed(text: string): void {
  if (text.isWellFormed()) return;
  throw new PortcullisError('admin_invalid', { publicMessage: 'a name holds half a surrogate pair, which is no character' });
}
