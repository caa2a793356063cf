import { PortcullisError } from '../../errors/index.ts';
import type { ListOrder } from '../store.ts';
import { FIELD_SEPARATOR, foldText } from './fold-text.ts';

/** The number of each order in the database and in cursors. */
export const SORTS: Readonly<Record<ListOrder, number>> = { updated: 0, created: 1, name: 2 };

/** By so much of a name lists are ordered: keys of an index must be short. Names alike so far are in the order of their creation. */
const SORTED_CHARACTERS = 128;

/** Hexadecimal digits of the largest safe integer, and of the largest position within one revision. */
const INTEGER_DIGITS = 14;
const POSITION_DIGITS = 10;

/**
 * A key by which entries are in the order of their writing. Sort keys are compared byte by byte as UTF-8. They are text and not bytes
 * because better-sqlite3 takes ten times as long to hand over a buffer.
 */
export function updatedKey(revision: number, position: number): string {
  return `${digits(revision, INTEGER_DIGITS)}${digits(position, POSITION_DIGITS)}`;
}

/** A key by which entries are in the order of their creation: rows are numbered upwards. */
export function createdKey(row: number): string {
  return digits(row, INTEGER_DIGITS);
}

/** A key by which entries are in the order of their names' code points, without case. */
export function nameKey(name: string, row: number): string {
  const sorted = [...foldText(name.slice(0, 2 * SORTED_CHARACTERS))].slice(0, SORTED_CHARACTERS).join('');
  // Nothing in a folded text is less than the separator, so a name comes before those that it begins.
  return `${sorted}${FIELD_SEPARATOR}${createdKey(row)}`;
}

/** What a client gets to continue after an entry. */
export function formatCursor(order: ListOrder, key: string): string {
  return Buffer.from(`${SORTS[order]}${key}`).toString('base64url');
}

/** The sort key in a cursor. @throws PortcullisError (`admin_invalid`) for a text that is no cursor, or that of another order. */
export function parseCursor(text: string, order: ListOrder): string {
  const decoded = Buffer.from(text, 'base64url').toString();
  if (decoded.length < 2 || Buffer.from(decoded).toString('base64url') !== text || decoded.includes('\0')) {
    throw refused('value is not what an answer gave as next');
  }
  if (decoded[0] !== String(SORTS[order])) throw refused('value belongs to a list in another order');
  return decoded.slice(1);
}

function digits(value: number, count: number): string {
  return value.toString(16).padStart(count, '0');
}

function refused(message: string): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage: `Error at "/after": ${message}` });
}
