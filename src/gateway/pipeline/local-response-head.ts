import type { LocalAnswer } from '../../engine/index.ts';
import { isFieldName, isFieldValue } from '../../lib/field-syntax.ts';
import { ENGINE_FIELDS, type ResponseHead } from '../../plugin-kit/index.ts';

const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

/** The head of an answer that the gateway makes itself, while plugins may still change it. */
export class LocalResponseHead implements ResponseHead {
  readonly source = 'gateway';
  readonly #isHead: boolean;
  #status: number;
  #fields: (readonly [name: string, value: string])[];

  constructor(answer: LocalAnswer, isHead: boolean) {
    this.#isHead = isHead;
    this.#status = answer.status;
    this.#fields = answer.headerLines
      .toString('latin1')
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  }

  get status(): number {
    return this.#status;
  }

  set status(status: number) {
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError('a status must be from 200 to 599');
    this.#status = status;
  }

  get hasBody(): boolean {
    return !this.#isHead && !NO_BODY.has(this.#status);
  }

  /** All fields as complete lines. */
  get headerLines(): Buffer {
    return Buffer.from(this.#fields.map(([name, value]) => `${name}: ${value}\r\n`).join(''), 'latin1');
  }

  header(lowerCaseName: string): string | undefined {
    return this.headerValues(lowerCaseName)[0];
  }

  headerValues(lowerCaseName: string): readonly string[] {
    return this.#fields.filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value);
  }

  headerNames(): readonly string[] {
    return [...new Set(this.#fields.map(([name]) => name.toLowerCase()))];
  }

  setHeader(name: string, value: string): void {
    requireField(name, value);
    this.removeHeader(name.toLowerCase());
    this.#fields.push([name, value]);
  }

  addHeader(name: string, value: string): void {
    requireField(name, value);
    this.#fields.push([name, value]);
  }

  removeHeader(lowerCaseName: string): void {
    this.#fields = this.#fields.filter(([name]) => name.toLowerCase() !== lowerCaseName);
  }
}

function requireField(name: string, value: string): void {
  if (!isFieldName(name) || !isFieldValue(value)) throw new TypeError('a header name or value holds characters that it must not');
  if (ENGINE_FIELDS.has(name.toLowerCase())) throw new TypeError('this header belongs to the gateway');
}
