import { readPath } from './read-path.ts';

/** A request path as it is matched and as it is forwarded. All texts are byte strings, one character per byte. */
export type NormalisedPath =
  | {
      readonly kind: 'ok';
      /** For matching and for plugins: decoded once; an encoded slash stays `%2F` here. */
      readonly path: string;
      /** The reading in which `%2F` and `%5C` are separators; undefined when there are none. Unless it leads to the same route as `path`, the request is refused with `ambiguous_path`. */
      readonly separatorPath: string | undefined;
      /** Whether the upstream gets the client's bytes or the normalised path. */
      readonly forward: 'client-bytes' | 'normalised';
      /** What the upstream gets: escapes as the client wrote them, dot segments, doubled slashes, backslashes and encoded dots resolved. Equals what came in for `client-bytes`. */
      readonly forwardPath: string;
    }
  | { readonly kind: 'refused'; readonly reason: 'bad_path' };

const REFUSED: NormalisedPath = { kind: 'refused', reason: 'bad_path' };

const SLASH = 0x2f;
const DOT = 0x2e;

/** Printable ASCII without `%`, `\`, `#` and `?`: bytes that stand for themselves. */
const PLAIN_BYTES = Uint8Array.from({ length: 256 }, (_, code) =>
  code > 0x20 && code < 0x7f && !'%\\#?'.includes(String.fromCharCode(code)) ? 1 : 0,
);

/** Whether a path (byte string) is its own normalised form with nothing to decode in it: the usual case, told apart in one pass. */
export function isPlainPath(raw: string): boolean {
  if (raw.charCodeAt(0) !== SLASH) return false;
  let before = 0;
  for (let index = 0; index < raw.length; index++) {
    const code = raw.charCodeAt(index);
    if (PLAIN_BYTES[code] !== 1 || (before === SLASH && (code === SLASH || code === DOT))) return false;
    before = code;
  }
  return true;
}

/**
 * Normalises the path of a request target: `raw` is its byte string without `?` and query.
 *
 * Percent-decoded once; `.` and `..` segments in any spelling are resolved, doubled slashes become one, a backslash is a slash.
 * Refused are paths that climb above `/`, hold a dot segment in disguise (`..;`, `..%20`, `..%23`), `%00`, a broken escape, a control
 * character, `#` or `?`, or do not begin with `/` (but for `*`, the target of OPTIONS). An empty path is `/` (RFC 9110 §4.2.3).
 * `docs/reference/path-spellings.md` shows it by examples, which are the test.
 */
export function normalisePath(raw: string): NormalisedPath {
  if (isPlainPath(raw) || raw === '*')
    return { kind: 'ok', path: raw, separatorPath: undefined, forward: 'client-bytes', forwardPath: raw };
  if (raw === '') return { kind: 'ok', path: '/', separatorPath: undefined, forward: 'normalised', forwardPath: '/' };
  const asData = readPath(raw, 'data');
  if (asData === undefined) return REFUSED;
  const { path, forwardPath } = asData;
  const forward = forwardPath === raw ? 'client-bytes' : 'normalised';
  if (!asData.hasEncodedSeparator) return { kind: 'ok', path, separatorPath: undefined, forward, forwardPath };
  if (readPath(raw, 'separator') === undefined) return REFUSED;
  // An upstream that takes them for separators does so with what is forwarded, so that is read, not what came in.
  const forwarded = readPath(forwardPath, 'separator');
  if (forwarded === undefined) return REFUSED;
  return { kind: 'ok', path, separatorPath: forwarded.hasEncodedSeparator ? forwarded.path : undefined, forward, forwardPath };
}
