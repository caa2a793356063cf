/** Parts the fields of one search text; no folded text holds it. */
export const FIELD_SEPARATOR = '\u0001';

/**
 * What folded text does not hold: NUL, which PostgreSQL's text has not, what parts fields, and what follows that where it is escaped for
 * PostgreSQL.
 */
const RESERVED = new RegExp(`[\\u0000${FIELD_SEPARATOR}\\u0002]`, 'g');

/**
 * A text as it is searched and sorted: without case. What is folded is cut and joined as the text itself is, so a part of a text, folded,
 * is a part of the folded text; that is why the sigma at a word's end becomes any other sigma. Halves of surrogate pairs become U+FFFD.
 */
export function foldText(text: string): string {
  return text.toWellFormed().toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').replace(RESERVED, '\uFFFD');
}
