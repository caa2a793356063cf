import { byteStringOf } from '../../lib/byte-string.ts';
import type { RequestView } from '../../plugin-kit/index.ts';

/** Where tokens are looked for. */
export interface TokenPlaces {
  readonly lowerCaseHeader: string;
  readonly query: string;
  readonly cookie: string;
}

/** A token, and the place where it was found; `''` for what stands in its place and can be none. */
export interface FoundToken {
  readonly place: 'header' | 'query' | 'cookie';
  readonly token: string;
}

const BEARER = /^[Bb]earer /;

/**
 * Header, then query, then cookie: the first that is there counts, even when it is empty or wrong. `Bearer ` is cut from the header in
 * APISIX's two spellings. Of a repeated query argument the first value counts.
 */
export function findToken(request: RequestView, places: TokenPlaces): FoundToken | undefined {
  const header = request.header(places.lowerCaseHeader);
  if (header !== undefined) return { place: 'header', token: BEARER.test(header) ? header.slice(7) : header };
  const query = findInQuery(request, places.query);
  if (query !== undefined) return { place: 'query', token: query };
  const cookie = request.cookie(places.cookie);
  return cookie === undefined ? undefined : { place: 'cookie', token: cookie };
}

/** Keeps a token from the upstream, in the place where it was found and in no other. */
export function hideToken(request: RequestView, places: TokenPlaces, { place }: FoundToken): void {
  switch (place) {
    case 'header':
      request.removeHeader(places.lowerCaseHeader);
      break;
    case 'query':
      request.removeQueryArgument(places.query);
      break;
    case 'cookie':
      hideCookie(request, places.cookie);
      break;
  }
}

function findInQuery(request: RequestView, name: string): string | undefined {
  const argument = request.queryArgument(name);
  switch (argument.kind) {
    case 'absent':
      return undefined;
    case 'flag':
      return '';
    case 'single':
      return argument.value;
    case 'repeated':
      return firstValue(request, byteStringOf(name));
  }
}

function firstValue(request: RequestView, name: string): string {
  return request.queryPairs().find((pair) => pair.name === name)?.value ?? '';
}

function hideCookie(request: RequestView, name: string): void {
  const pairs = request.headerValues('cookie').flatMap((line) => line.split(';').map((pair) => pair.trim()));
  const kept = pairs.filter((pair) => pair !== '' && nameOf(pair) !== name);
  if (kept.length === 0) request.removeHeader('cookie');
  else request.setHeader('Cookie', kept.join('; '));
}

function nameOf(pair: string): string {
  const end = pair.indexOf('=');
  return (end === -1 ? pair : pair.slice(0, end)).trim();
}
