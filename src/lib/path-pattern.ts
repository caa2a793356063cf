import { byteStringOf } from './byte-string.ts';

/** A part of a pattern between two slashes. */
export type PathSegment =
  | { readonly kind: 'text'; readonly text: string }
  /** `:name`: one segment, not an empty one. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** `*name` or `*`: all that follows, slashes too; before the end of a pattern at least one segment. */
  | { readonly kind: 'rest'; readonly name: string }
  /** `text*`, at the end: all that begins so. */
  | { readonly kind: 'open'; readonly text: string };

/** A configured path, read. All texts but `text` are byte strings, as paths of requests are. */
export interface PathPattern {
  /** As configured. */
  readonly text: string;
  /** `exact`: one path. `prefix`: all paths that begin with `literal`. `segments`: what follows `literal` is told by `segments`. */
  readonly kind: 'exact' | 'prefix' | 'segments';
  /** Everything before the first parameter and the first wildcard. */
  readonly literal: string;
  /** Behind `literal`, which then ends with a slash. */
  readonly segments: readonly PathSegment[];
  /** What a prefix's remainder is called; undefined where it has no name. */
  readonly restName: string | undefined;
}

/** What an unnamed wildcard that is a segment of its own is called (lua-resty-radixtree). */
const UNNAMED_REST = ':ext';
const NO_SEGMENTS: readonly PathSegment[] = [];

/** What is wrong with a configured path that begins with a slash, or undefined: where parameters and wildcards may stand. */
export function checkPathPattern(path: string): string | undefined {
  const segments = path.split('/');
  const names = segments.map(nameIn).filter((name) => name !== '');
  const isRepeated = new Set(names).size < names.length;
  for (const [index, segment] of segments.entries()) {
    const wildcard = segment.indexOf('*');
    if (segment === ':') return 'a parameter needs a name, as in /:name';
    if (segment.startsWith(':') && wildcard !== -1) return `the parameter ${segment} has a wildcard in it`;
    if (wildcard > 0 && (wildcard < segment.length - 1 || index < segments.length - 1))
      return 'a wildcard stands at the end of a path or at the beginning of a segment';
  }
  if (path.split('*').length > 2) return 'a path has one wildcard at most';
  return isRepeated ? 'two parameters of a path have the same name' : undefined;
}

function nameIn(segment: string): string {
  return segment.startsWith(':') || segment.startsWith('*') ? segment.slice(1) : '';
}

/**
 * Reads a configured path: `/a` is one path, `/a*` and `/a/*` are all that begin with what stands before the wildcard; `:name` stands for
 * one segment and `*name` for all that follow, or where more follows for one segment or more. The path has passed `checkPathPattern`.
 */
export function parsePathPattern(text: string): PathPattern {
  const bytes = byteStringOf(text);
  const parts = bytes.split('/');
  const first = parts.findIndex((part) => part.startsWith(':') || part.includes('*'));
  if (first === -1) return { text, kind: 'exact', literal: bytes, segments: NO_SEGMENTS, restName: undefined };
  const before = parts.slice(0, first).map((part) => `${part}/`);
  const segments = parts.slice(first).map(readSegment);
  const [only] = segments;
  if (segments.length > 1 || only === undefined || only.kind === 'parameter')
    return { text, kind: 'segments', literal: before.join(''), segments, restName: undefined };
  const isOpen = only.kind === 'open';
  const literal = before.join('') + (isOpen ? only.text : '');
  return { text, kind: 'prefix', literal, segments: NO_SEGMENTS, restName: only.kind === 'rest' ? only.name : undefined };
}

function readSegment(part: string, index: number, parts: readonly string[]): PathSegment {
  if (part.startsWith(':')) return { kind: 'parameter', name: part.slice(1) };
  if (part.startsWith('*')) return { kind: 'rest', name: part.slice(1) || UNNAMED_REST };
  if (part.endsWith('*') && index === parts.length - 1) return { kind: 'open', text: part.slice(0, -1) };
  return { kind: 'text', text: part };
}

/** The parameters' values in a path (byte string) that fits the pattern, undefined where it does not fit. */
export function matchPathPattern(
  { kind, literal, segments, restName }: PathPattern,
  path: string,
): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  if (kind === 'exact') return path === literal ? values : undefined;
  if (!path.startsWith(literal)) return undefined;
  if (kind === 'segments') return matchSegments(segments, path, literal.length, values) ? values : undefined;
  if (restName !== undefined) values.set(restName, path.slice(literal.length));
  return values;
}

/** `start` is where the segment begins that the first of `segments` must fit. */
function matchSegments(segments: readonly PathSegment[], path: string, start: number, values: Map<string, string>): boolean {
  let at = start;
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index];
    if (segment === undefined) return false;
    if (segment.kind === 'open') return path.startsWith(segment.text, at);
    if (segment.kind === 'rest') return matchRest(segment.name, segments.slice(index + 1), path, at, values);
    const slash = path.indexOf('/', at);
    const end = slash === -1 ? path.length : slash;
    if (!matchSegment(segment, path, at, end, values)) return false;
    if (index === segments.length - 1) return slash === -1;
    if (slash === -1) return false;
    at = end + 1;
  }
  return false;
}

/** What follows a wildcard is found from the path's end: so it takes as much as it can, without trying twice. */
function matchRest(name: string, behind: readonly PathSegment[], path: string, start: number, values: Map<string, string>): boolean {
  let end = path.length;
  for (const segment of behind.toReversed()) {
    const slash = end === 0 ? -1 : path.lastIndexOf('/', end - 1);
    if (slash <= start || !matchSegment(segment, path, slash + 1, end, values)) return false;
    end = slash;
  }
  values.set(name, path.slice(start, end));
  return true;
}

function matchSegment(segment: PathSegment, path: string, start: number, end: number, values: Map<string, string>): boolean {
  switch (segment.kind) {
    case 'text':
      return end - start === segment.text.length && path.startsWith(segment.text, start);
    case 'parameter':
      if (end > start) values.set(segment.name, path.slice(start, end));
      return end > start;
    case 'open':
      return path.startsWith(segment.text, start);
    case 'rest':
      return false;
  }
}
