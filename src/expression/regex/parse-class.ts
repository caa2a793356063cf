import { type ByteSet, byteRange, complement, foldCase, NO_CHARACTER, singleton } from './byte-set.ts';
import { ESCAPED_SETS, POSIX_SETS } from './named-sets.ts';
import { parseCharacterEscape } from './parse-escape.ts';
import type { PatternReader } from './pattern-reader.ts';

/** One item in brackets: a character that may begin a range, or a set that may not. */
type ClassItem = { readonly kind: 'character'; readonly code: number } | { readonly kind: 'set'; readonly members: ByteSet };

/** The set that `[…]` stands for; its `[` has been taken already. */
export function parseClass(reader: PatternReader, ignoreCase: boolean): ByteSet {
  const start = reader.position - 1;
  const negated = reader.takeIf('^');
  let members = NO_CHARACTER;
  let first = true;
  while (first || reader.peek() !== ']') {
    if (reader.atEnd) reader.fail('missing terminating ] for character class', start);
    members |= parseClassRange(reader);
    first = false;
  }
  reader.take();
  if (ignoreCase) members = foldCase(members);
  return negated ? complement(members) : members;
}

function parseClassRange(reader: PatternReader): ByteSet {
  const start = reader.position;
  const low = parseClassItem(reader);
  if (low.kind === 'set') return low.members;
  const isRange = reader.peek() === '-' && reader.text.charAt(reader.position + 1) !== ']' && reader.position + 1 < reader.text.length;
  if (!isRange) return singleton(low.code);
  reader.take();
  const high = parseClassItem(reader);
  if (high.kind === 'set') return reader.fail('invalid range in character class', start);
  if (high.code < low.code) reader.fail('range out of order in character class', start);
  return byteRange(low.code, high.code);
}

function parseClassItem(reader: PatternReader): ClassItem {
  const start = reader.position;
  const posix = reader.takeMatch(/\[:(\^?)([a-z]+):\]/y);
  if (posix !== undefined) {
    const members = POSIX_SETS.get(posix[2] ?? '') ?? reader.fail('unknown POSIX class name', start);
    return { kind: 'set', members: posix[1] === '^' ? complement(members) : members };
  }
  if (/^\[[.=]/.test(reader.text.slice(start, start + 2))) reader.fail('POSIX collating elements are not supported', start);
  const character = reader.take();
  if (character !== '\\') return { kind: 'character', code: character.charCodeAt(0) };
  const named = ESCAPED_SETS.get(reader.peek());
  if (named !== undefined) {
    reader.take();
    return { kind: 'set', members: named };
  }
  if (reader.takeIf('b')) return { kind: 'character', code: 0x08 };
  return { kind: 'character', code: parseCharacterEscape(reader) };
}
