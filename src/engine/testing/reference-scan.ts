/**
 * The alphabet and the field lines of HTTP/1.1, read a second time: whole inputs, text instead of bytes, regular expressions instead
 * of tables. Slow and plain on purpose, and sharing nothing with the parser that it is there to contradict.
 */

/** One field as sent: name, and value without the white space around it. */
export type ReferenceField = readonly [name: string, value: string];

/** The text so far fits, and more must come. */
export const UNFINISHED = 'unfinished';
/** No continuation can make the text valid. */
export const MALFORMED = 'malformed';
/** There are more fields than may be. */
const TOO_MANY = 'too many';

/** A section of field lines with the empty line that ends it. */
export interface ReferenceSection {
  readonly fields: readonly ReferenceField[];
  /** Where it ends in the text. */
  readonly end: number;
}

/** RFC 9110 §5.6.2. */
export function tokenLength(text: string): number {
  return /^[A-Za-z0-9!#$%&'*+\-.^_`|~]*/.exec(text)?.[0].length ?? 0;
}

/** RFC 9110 §5.5 without line folding: HTAB, SP, VCHAR and obs-text. */
export function valueLength(text: string): number {
  return /^[\t\x20-\x7e\x80-\xff]*/.exec(text)?.[0].length ?? 0;
}

/** Field lines from `start` on (RFC 9112 §5): `name ":" OWS value OWS CRLF`, then an empty line. */
export function readSection(text: string, start: number, limit: number): ReferenceSection | 'unfinished' | 'malformed' | 'too many' {
  const fields: ReferenceField[] = [];
  let at = start;
  for (;;) {
    const rest = text.slice(at);
    if (rest === '' || rest === '\r') return UNFINISHED;
    if (rest.startsWith('\r\n')) return { fields, end: at + 2 };
    const name = rest.slice(0, tokenLength(rest));
    if (name === rest) return UNFINISHED;
    if (name === '' || rest[name.length] !== ':') return MALFORMED;
    const behindColon = rest.slice(name.length + 1);
    const value = behindColon.slice(0, valueLength(behindColon));
    const lineEnd = behindColon.slice(value.length, value.length + 2);
    if (lineEnd === '' || lineEnd === '\r') return UNFINISHED;
    if (lineEnd !== '\r\n') return MALFORMED;
    if (fields.length === limit) return TOO_MANY;
    fields.push([name, value.replace(/^[ \t]+|[ \t]+$/g, '')]);
    at += name.length + 1 + value.length + 2;
  }
}

/** ASCII letters only, as HTTP compares names. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** All values of a field in order. */
export function valuesOf(fields: readonly ReferenceField[], name: string): readonly string[] {
  return fields.filter(([candidate]) => lowerCase(candidate) === name).map(([, value]) => value);
}

/** The members of all Connection fields in lower case (RFC 9110 §7.6.1). */
export function connectionOptions(fields: readonly ReferenceField[]): readonly string[] {
  return valuesOf(fields, 'connection').flatMap((value) =>
    lowerCase(value)
      .split(/[, \t]+/)
      .filter((option) => option !== ''),
  );
}

/** A Content-Length that this product accepts (RFC 9110 §8.6, and no list of equal numbers), or undefined. */
export function lengthOf(value: string): number | undefined {
  if (!/^[0-9]+$/.test(value)) return undefined;
  return BigInt(value) <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}
