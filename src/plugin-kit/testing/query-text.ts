import { byteStringOf } from '../../lib/byte-string.ts';
import type { QueryArgument, QueryPair } from '../request-view.ts';

/** The arguments of a query (byte string without `?`), decoded as APISIX decodes them: `+` is a space, a broken escape stands for itself. */
export function pairsOfQuery(query: string): readonly QueryPair[] {
  return argumentsOf(query).map(([, pair]) => pair);
}

export function findArgument(query: string, name: string): QueryArgument {
  const wanted = byteStringOf(name);
  const values = pairsOfQuery(query).filter((pair) => pair.name === wanted);
  const [first] = values;
  if (first === undefined) return { kind: 'absent' };
  if (values.length > 1) return { kind: 'repeated' };
  return first.value === undefined ? { kind: 'flag' } : { kind: 'single', value: first.value };
}

/** The query without the argument; all others stay byte for byte. */
export function withoutArgument(query: string, name: string): string {
  const wanted = byteStringOf(name);
  return query
    .split('&')
    .filter((text) => pairOf(text).name !== wanted)
    .join('&');
}

function argumentsOf(query: string): ReadonlyArray<readonly [string, QueryPair]> {
  return query
    .split('&')
    .map((text) => [text, pairOf(text)] as const)
    .filter(([, pair]) => pair.name !== '');
}

function pairOf(text: string): QueryPair {
  const equals = text.indexOf('=');
  return equals === -1
    ? { name: decode(text), value: undefined }
    : { name: decode(text.slice(0, equals)), value: decode(text.slice(equals + 1)) };
}

function decode(text: string): string {
  return text.replaceAll('+', ' ').replace(/%[0-9A-Fa-f]{2}/g, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));
}
