import { byteStringOf } from '../../lib/byte-string.ts';
import type { QueryArgument, QueryPair } from '../../plugin-kit/index.ts';

const ABSENT: QueryArgument = { kind: 'absent' };
const FLAG: QueryArgument = { kind: 'flag' };
const REPEATED: QueryArgument = { kind: 'repeated' };

/**
 * What a query (byte string without `?`) says of one name (configured text). Names and values are read as APISIX reads
 * arguments: split at `&`, `+` is a space, escapes are decoded once, a broken escape stands for itself; an argument without a
 * name counts as none.
 */
export function findQueryArgument(query: string, name: string): QueryArgument {
  const wanted = byteStringOf(name);
  if (wanted === '' || query === '') return ABSENT;
  let found: QueryArgument = ABSENT;
  for (let start = 0; start <= query.length; ) {
    const end = endOfArgument(query, start);
    const nameEnd = endOfName(query, start, end);
    if (isNamed(query, start, nameEnd, wanted)) {
      if (found !== ABSENT) return REPEATED;
      found = nameEnd === end ? FLAG : { kind: 'single', value: decode(query.slice(nameEnd + 1, end)) };
    }
    start = end + 1;
  }
  return found;
}

/** All arguments of a query in order, decoded as `findQueryArgument` does; those without a name are left out. */
export function readQueryPairs(query: string): readonly QueryPair[] {
  const pairs: QueryPair[] = [];
  for (let start = 0; start < query.length; ) {
    const end = endOfArgument(query, start);
    const nameEnd = endOfName(query, start, end);
    if (nameEnd > start) {
      pairs.push({ name: decode(query.slice(start, nameEnd)), value: nameEnd === end ? undefined : decode(query.slice(nameEnd + 1, end)) });
    }
    start = end + 1;
  }
  return pairs;
}

/** The query without every argument of this name; all others stay byte for byte, in their order. */
export function removeQueryArgument(query: string, name: string): string {
  const wanted = byteStringOf(name);
  if (wanted === '' || query === '') return query;
  const kept: string[] = [];
  for (let start = 0; start <= query.length; ) {
    const end = endOfArgument(query, start);
    if (!isNamed(query, start, endOfName(query, start, end), wanted)) kept.push(query.slice(start, end));
    start = end + 1;
  }
  return kept.join('&');
}

function endOfArgument(query: string, start: number): number {
  const end = query.indexOf('&', start);
  return end < 0 ? query.length : end;
}

function endOfName(query: string, start: number, end: number): number {
  for (let index = start; index < end; index++) if (query.charCodeAt(index) === 0x3d) return index;
  return end;
}

/** Compares in place, and decodes only a name that holds something to decode. */
function isNamed(query: string, start: number, end: number, wanted: string): boolean {
  if (end - start < wanted.length) return false;
  for (let index = start; index < end; index++) {
    const code = query.charCodeAt(index);
    if (code === 0x25 || code === 0x2b) return decode(query.slice(start, end)) === wanted;
    if (code !== wanted.charCodeAt(index - start)) return false;
  }
  return end - start === wanted.length;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  return text.replaceAll('+', ' ').replace(/%[0-9A-Fa-f]{2}/g, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));
}
