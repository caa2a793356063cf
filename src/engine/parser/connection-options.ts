import { COMMA, equalsIgnoringCase, HTAB, SPACE } from './character-classes.ts';
import type { FieldLines } from './field-lines.ts';

const CLOSE = Buffer.from('close', 'latin1');
const KEEP_ALIVE = Buffer.from('keep-alive', 'latin1');

/** More options than this in one field have no honest use and would make a head cost a product of its fields. */
const MOST_OPTIONS = 32;

/** What the Connection fields of one head say (RFC 9110 §7.6.1). */
export class ConnectionOptions {
  close = false;
  keepAlive = false;
  #options = 0;

  reset(): void {
    this.close = false;
    this.keepAlive = false;
    this.#options = 0;
  }

  /**
   * Reads the value `bytes[start, end)` and cuts the fields that it names. Cutting leaves a field out of what is sent on and
   * nothing else: it is still found, and what the gateway appends is not in `fields`. Returns false for too many options.
   */
  read(fields: FieldLines, bytes: Uint8Array, start: number, end: number): boolean {
    let position = start;
    while (position < end) {
      while (position < end && isSeparator(bytes[position])) position++;
      const optionStart = position;
      while (position < end && !isSeparator(bytes[position])) position++;
      if (optionStart === position) break;
      if (++this.#options > MOST_OPTIONS) return false;
      if (equalsIgnoringCase(bytes, optionStart, position, CLOSE)) this.close = true;
      else if (equalsIgnoringCase(bytes, optionStart, position, KEEP_ALIVE)) this.keepAlive = true;
      else fields.cutNamed(bytes, optionStart, position);
    }
    return true;
  }
}

function isSeparator(byte: number | undefined): boolean {
  return byte === COMMA || byte === SPACE || byte === HTAB;
}
