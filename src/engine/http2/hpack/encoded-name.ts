import type { TableEntry } from './dynamic-table.ts';
import { STATIC_NAME_BY_TEXT, type StaticName } from './static-table.ts';

/**
 * By these somebody proves who he is. A value in the table can be guessed by whoever sees the sizes of blocks and has fields of his own
 * choice sent on the same connection (RFC 7541 §7.1), and a connection to an upstream carries many clients' requests.
 */
const SECRETS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'set-cookie',
  'apikey',
  'x-api-key',
  'x-auth-token',
  'x-amz-security-token',
]);
/** A shorter cookie can be found by trying all values; a longer one comes with every request, and costs much (RFC 7541 §7.1.3). */
const SHORT_COOKIE_LENGTH = 20;
/** Longer values are not kept to see whether they come again. */
const MOST_KEPT_LENGTH = 256;
/** New values that may be indexed before one was used. */
const FIRST_CREDIT = 2;
const MOST_CREDIT = 4;

/**
 * What an encoder knows of a name. It decides which values are indexed: the first ones on trial, then as many as earlier ones were used; of a
 * name whose values never come again, as identifiers of requests, only one that is there twice in a row. So values that change with each
 * message do not drive those out that stay.
 */
export class EncodedName {
  readonly name: string;
  /** An index of the static table that has the name; 0 where none has. */
  readonly staticIndex: number;
  readonly #valueIndexes: StaticName['valueIndexes'];
  readonly #isSecret: boolean;
  readonly #isCookie: boolean;
  /** In the order in which they were added, which is the one in which they leave. */
  readonly #entries: TableEntry[] = [];
  #credit: number;
  #lastValue: string | undefined = undefined;

  /** What is not `isRemembered` is used for one field, and nothing of it is indexed. */
  constructor(name: string, isRemembered: boolean) {
    const fixed = STATIC_NAME_BY_TEXT.get(name);
    this.name = name;
    this.staticIndex = fixed?.index ?? 0;
    this.#valueIndexes = fixed?.valueIndexes;
    this.#isSecret = SECRETS.has(name);
    this.#isCookie = name === 'cookie';
    this.#credit = isRemembered ? FIRST_CREDIT : 0;
  }

  /** The newest entry of the dynamic table with this name. */
  get newest(): TableEntry | undefined {
    return this.#entries.at(-1);
  }

  /** The value is never indexed. */
  isSecret(value: string): boolean {
    return this.#isSecret || (this.#isCookie && value.length < SHORT_COOKIE_LENGTH);
  }

  /** The index at which the static table has the name with this value; 0 where it has not. */
  staticIndexOf(value: string): number {
    return this.#valueIndexes?.get(value) ?? 0;
  }

  /** The entry of the dynamic table with this value. */
  find(value: string): TableEntry | undefined {
    for (let index = this.#entries.length - 1; index >= 0; index--) {
      const entry = this.#entries[index];
      if (entry?.value !== value) continue;
      if (this.#credit < MOST_CREDIT) this.#credit++;
      return entry;
    }
    return undefined;
  }

  /** Whether a value that is not in the table goes there. */
  isWorthIndexing(value: string): boolean {
    if (this.#credit > 0) {
      this.#credit--;
      return true;
    }
    if (value === this.#lastValue) return true;
    this.#lastValue = value.length <= MOST_KEPT_LENGTH ? value : undefined;
    return false;
  }

  /** The table has a new entry with this name. */
  remember(entry: TableEntry): void {
    this.#entries.push(entry);
  }

  /** An entry with this name has left the table. */
  forget(entry: TableEntry): void {
    if (this.#entries[0] === entry) this.#entries.shift();
  }
}
