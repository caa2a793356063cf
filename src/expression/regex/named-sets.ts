import { type ByteSet, byteRange, bytesIn, complement, singleton } from './byte-set.ts';

const DIGIT = byteRange(0x30, 0x39);
const LETTER = byteRange(0x41, 0x5a) | byteRange(0x61, 0x7a);
const GRAPH = byteRange(0x21, 0x7e);
const SPACE = bytesIn('\t\n\v\f\r ');
const BLANK = bytesIn('\t ');
const WORD = DIGIT | LETTER | singleton(0x5f);
const HORIZONTAL = BLANK | singleton(0xa0);
const VERTICAL = bytesIn('\n\v\f\r\x85');
const LINE_FEED = singleton(0x0a);

/** The characters that `.` matches: all but the line feed, as in PCRE. */
export const NOT_LINE_FEED: ByteSet = complement(LINE_FEED);
export const LINE_ENDS: ByteSet = VERTICAL;

/** The sets that a letter behind a backslash names (pcre2pattern, "Generic character types"). */
export const ESCAPED_SETS: ReadonlyMap<string, ByteSet> = new Map([
  ['d', DIGIT],
  ['D', complement(DIGIT)],
  ['w', WORD],
  ['W', complement(WORD)],
  ['s', SPACE],
  ['S', complement(SPACE)],
  ['h', HORIZONTAL],
  ['H', complement(HORIZONTAL)],
  ['v', VERTICAL],
  ['V', complement(VERTICAL)],
  ['N', NOT_LINE_FEED],
]);

/** The sets of `[[:name:]]`, of ASCII (pcre2pattern, "Posix character classes"). */
export const POSIX_SETS: ReadonlyMap<string, ByteSet> = new Map([
  ['alnum', DIGIT | LETTER],
  ['alpha', LETTER],
  ['ascii', byteRange(0, 0x7f)],
  ['blank', BLANK],
  ['cntrl', byteRange(0, 0x1f) | singleton(0x7f)],
  ['digit', DIGIT],
  ['graph', GRAPH],
  ['lower', byteRange(0x61, 0x7a)],
  ['print', GRAPH | singleton(0x20)],
  ['punct', GRAPH & complement(DIGIT | LETTER)],
  ['space', SPACE],
  ['upper', byteRange(0x41, 0x5a)],
  ['word', WORD],
  ['xdigit', DIGIT | byteRange(0x41, 0x46) | byteRange(0x61, 0x66)],
]);
