/** Header lines in order, names spelled as sent. */
export type HeaderLines = ReadonlyArray<readonly [name: string, value: string]>;

const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** What frames a message or belongs to one connection is the engine's. */
export const FRAMING_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What of an answer no plugin can set. */
export const GATEWAY_ANSWER_NAMES: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'portcullis-request-id',
  'server',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that can be read and edited as plugins edit them. */
export class HeaderList {
  #lines: (readonly [string, string])[];
  readonly #forbidden: ReadonlySet<string>;

  /** `forbidden`: lower-case names that cannot be set. */
  constructor(lines: HeaderLines, forbidden: ReadonlySet<string>) {
    this.#lines = [...lines];
    this.#forbidden = forbidden;
  }

  get lines(): HeaderLines {
    return [...this.#lines];
  }

  first(lowerCaseName: string): string | undefined {
    return this.#lines.find(([name]) => name.toLowerCase() === lowerCaseName)?.[1];
  }

  values(lowerCaseName: string): readonly string[] {
    return this.#lines.filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value);
  }

  names(): readonly string[] {
    return [...new Set(this.#lines.map(([name]) => name.toLowerCase()))];
  }

  /** @throws TypeError for what cannot stand in a header, and for names that are forbidden */
  set(name: string, value: string): void {
    this.#check(name, value);
    this.remove(name.toLowerCase());
    this.#lines.push([name, value]);
  }

  /** @throws TypeError as `set` */
  add(name: string, value: string): void {
    this.#check(name, value);
    this.#lines.push([name, value]);
  }

  remove(lowerCaseName: string): void {
    this.#lines = this.#lines.filter(([name]) => name.toLowerCase() !== lowerCaseName);
  }

  #check(name: string, value: string): void {
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) throw new TypeError('a header name or value holds characters that it must not');
    if (this.#forbidden.has(name.toLowerCase())) throw new TypeError(`${name} belongs to the gateway`);
  }
}
