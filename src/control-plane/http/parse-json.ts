import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';

/** Deeper documents are refused: everything behind this parser may then walk a document by recursion. */
const MAX_DEPTH = 100;
/** Longer number literals are noise, and would only cost time. */
const MAX_NUMBER_CHARACTERS = 400;

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const INTEGER = /^-?[0-9]+$/;
const NUMBER_CHARACTERS = new Set('+-.0123456789eE');

/**
 * Reads a JSON text (RFC 8259) as UTF-8, more strictly than `JSON.parse`: besides syntax errors it refuses what would be stored
 * as something else than was written (repeated names, numbers that no double can hold, half surrogate pairs), the name
 * `__proto__`, and nesting deeper than 100 levels.
 *
 * Objects have no prototype. Errors tell the position (a character, counted from 0) and never repeat the text, for it may
 * hold a secret, which is also why the messages of `JSON.parse` cannot be used.
 *
 * @throws PortcullisError `admin_bad_json`
 */
export function parseJson(bytes: Uint8Array): JsonValue {
  return new JsonReader(decode(bytes)).read();
}

/** One element of a JSON array, and how many characters of text it is. */
export interface JsonElement {
  readonly value: JsonValue;
  readonly length: number;
}

/**
 * The elements of a JSON array one after the other, read as strictly as `parseJson` reads a whole text, and each only when it is asked for:
 * whoever reads a long array can let others have their turn.
 *
 * @throws PortcullisError `admin_bad_json`, also when the text is no array
 */
export function* parseJsonElements(bytes: Uint8Array): Generator<JsonElement, void> {
  yield* new JsonReader(decode(bytes)).readElements();
}

/** @throws PortcullisError `admin_bad_json` */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badJson('the text is not valid UTF-8');
  }
}

function badJson(problem: string): PortcullisError {
  return new PortcullisError('admin_bad_json', { publicMessage: `invalid request body: ${problem}` });
}

class JsonReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonValue {
    this.#skipWhitespace();
    if (this.#position === this.#text.length) throw badJson('the body is empty');
    const value = this.#value(0);
    this.#end();
    return value;
  }

  *readElements(): Generator<JsonElement, void> {
    this.#expect('[');
    if (!this.#take(']')) {
      do {
        this.#skipWhitespace();
        const start = this.#position;
        const value = this.#value(1);
        yield { value, length: this.#position - start };
      } while (this.#take(','));
      this.#expect(']');
    }
    this.#end();
  }

  #end(): void {
    this.#skipWhitespace();
    if (this.#position < this.#text.length) throw this.#error('the text goes on after the value');
  }

  #value(depth: number): JsonValue {
    switch (this.#text[this.#position]) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case undefined:
        throw this.#error('the text ends too early');
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth);
    const result: Record<string, JsonValue> = Object.create(null);
    if (this.#take('}')) return result;
    do {
      this.#skipWhitespace();
      const start = this.#position;
      if (this.#text[start] !== '"') throw this.#error('a name in double quotes is expected');
      const name = this.#string();
      if (name === '__proto__') throw this.#error('the name __proto__ is not allowed', start);
      if (Object.hasOwn(result, name)) throw this.#error('a name is repeated in the same object', start);
      this.#expect(':');
      result[name] = this.#value(depth);
    } while (this.#take(','));
    this.#expect('}');
    return result;
  }

  #array(depth: number): readonly JsonValue[] {
    this.#enter(depth);
    const result: JsonValue[] = [];
    if (this.#take(']')) return result;
    do {
      this.#skipWhitespace();
      result.push(this.#value(depth));
    } while (this.#take(','));
    this.#expect(']');
    return result;
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw this.#error(`nesting is deeper than ${MAX_DEPTH} levels`);
    this.#position += 1;
  }

  #string(): string {
    const start = this.#position;
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#position = at + 1;
        return escaped ? this.#unescape(start) : this.#text.slice(start + 1, at);
      }
      if (code < 0x20) throw this.#error('a control character stands in a string', at);
      if (code === 0x5c) {
        escaped = true;
        at += 1;
      }
    }
    throw this.#error('a string is not closed', start);
  }

  #unescape(start: number): string {
    let value: unknown;
    try {
      value = JSON.parse(this.#text.slice(start, this.#position));
    } catch {
      throw this.#error('a string has a malformed escape', start);
    }
    if (typeof value !== 'string' || !value.isWellFormed()) throw this.#error('a string holds half a surrogate pair', start);
    return value;
  }

  #number(): number {
    const start = this.#position;
    let end = start;
    while (end < this.#text.length && NUMBER_CHARACTERS.has(this.#text.charAt(end))) end += 1;
    const literal = this.#text.slice(start, Math.min(end, start + MAX_NUMBER_CHARACTERS + 1));
    if (literal.length > MAX_NUMBER_CHARACTERS) throw this.#error('a number is too long');
    if (!NUMBER.test(literal)) throw this.#error('a value is expected');
    const value = Number(literal);
    if (!Number.isFinite(value)) throw this.#error('a number is out of range');
    if (INTEGER.test(literal) && !isKept(literal, value)) throw this.#error('an integer has more digits than can be kept');
    this.#position = end;
    return value;
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#position)) throw this.#error('a value is expected');
    this.#position += word.length;
    return value;
  }

  #take(character: string): boolean {
    this.#skipWhitespace();
    if (this.#text[this.#position] !== character) return false;
    this.#position += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#error(`"${character}" is expected`);
    this.#skipWhitespace();
  }

  #skipWhitespace(): void {
    for (; this.#position < this.#text.length; this.#position += 1) {
      const code = this.#text.charCodeAt(this.#position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  #error(problem: string, position = this.#position): PortcullisError {
    const before = this.#text.slice(0, position);
    const line = before.split('\n').length;
    const column = position - before.lastIndexOf('\n');
    return badJson(`${problem} at position ${position} (line ${line}, column ${column})`);
  }
}

/** Whether the integer is given back as it was written, or at least with its exact value. */
function isKept(literal: string, value: number): boolean {
  return String(value) === literal || BigInt(literal) === BigInt(value);
}
