/** What can be said of JSON text before it is parsed. */
export interface JsonMeasure {
  /** No fewer than there are values in it. */
  readonly values: number;
  /** Members of all objects, repeated names counted each time. */
  readonly members: number;
  readonly depth: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Measures JSON text (UTF-8) in one pass, which ends where there are more values or levels than wanted. What is said of other text means
 * nothing.
 */
export function measureJson(bytes: Uint8Array, maxValues: number, maxDepth: number): JsonMeasure {
  let values = 1;
  let members = 0;
  let level = 0;
  let depth = 0;
  for (let index = 0; index < bytes.length && values <= maxValues && depth <= maxDepth; index++) {
    switch (bytes[index]) {
      case QUOTE:
        index = endOfString(bytes, index + 1);
        break;
      case COMMA:
        values++;
        break;
      case COLON:
        members++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        values++;
        level++;
        if (level > depth) depth = level;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        level--;
        break;
    }
  }
  return { values, members, depth };
}

/** The position of the quotation mark that ends the string. */
function endOfString(bytes: Uint8Array, start: number): number {
  let index = start;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}
