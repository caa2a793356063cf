import { isFieldName } from './field-syntax.ts';
import { internalized } from './internalized.ts';

/** The name of a header field, checked, and what is needed to write it. */
export interface FieldName {
  /** As it is sent. */
  readonly name: string;
  readonly lowerCaseName: string;
  /** Name, colon and space. */
  readonly start: Buffer;
}

/** Names that configurations hold, many times over; texts that come with requests never get a place of somebody else. */
const MAX_KNOWN = 1024;
/** A name that is longer than any in use is not worth keeping. */
const MAX_KNOWN_LENGTH = 64;
const known = new Map<string, FieldName>();

/**
 * The field name that a text is (token, RFC 9110 §5.6.2). Plugins set the same few names on every answer: they are checked once.
 *
 * @throws TypeError for anything else
 */
export function fieldNameOf(name: string): FieldName {
  return known.get(name) ?? check(name);
}

function check(name: string): FieldName {
  if (!isFieldName(name)) throw new TypeError('a header name holds characters that it must not');
  const field = { name: internalized(name), lowerCaseName: internalized(name.toLowerCase()), start: Buffer.from(`${name}: `, 'latin1') };
  if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_LENGTH) known.set(field.name, field);
  return field;
}
