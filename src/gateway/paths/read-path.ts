import { isDisguisedDots } from './disguised-dots.ts';

/** How `%2F` and `%5C` are understood. */
export type EncodedSeparator = 'data' | 'separator';

/** One reading of a raw path. */
export interface PathReading {
  /** Decoded and resolved; begins with `/`. */
  readonly path: string;
  /** The same segments with the client's own escapes; only encoded dots are written as dots. */
  readonly forwardPath: string;
  readonly hasEncodedSeparator: boolean;
}

interface Segment {
  readonly decoded: string;
  readonly forward: string;
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const DOT = 0x2e;
const HASH = 0x23;
const QUESTION_MARK = 0x3f;

/**
 * Reads a raw path (byte string) segment by segment, or gives undefined when it must be refused.
 *
 * Read as data, an encoded slash stays `%2F` in the decoded path, so that no route's `/` matches it; an encoded backslash is
 * decoded, which cannot be mistaken because a bare one is a slash.
 */
export function readPath(raw: string, encodedSeparator: EncodedSeparator): PathReading | undefined {
  if (raw.charCodeAt(0) !== SLASH) return undefined;
  const segments: Segment[] = [];
  let hasEncodedSeparator = false;
  let decoded = '';
  let forward = '';
  for (let index = 1; index <= raw.length; index++) {
    let code = index === raw.length ? SLASH : raw.charCodeAt(index);
    let written = raw[index] ?? '';
    if (isRefused(code)) return undefined;
    const wasEncoded = code === PERCENT;
    if (wasEncoded) {
      code = decodeEscape(raw, index);
      if (code <= 0) return undefined;
      written = code === DOT ? '.' : raw.slice(index, index + 3);
      index += 2;
    }
    const isSeparator = code === SLASH || code === BACKSLASH;
    if (isSeparator && wasEncoded) hasEncodedSeparator = true;
    if (!isSeparator || (wasEncoded && encodedSeparator === 'data')) {
      decoded += code === SLASH ? '%2F' : String.fromCharCode(code);
      forward += written;
      continue;
    }
    if (!addSegment(segments, { decoded, forward }, index === raw.length)) return undefined;
    decoded = '';
    forward = '';
  }
  return { path: joined(segments, 'decoded'), forwardPath: joined(segments, 'forward'), hasEncodedSeparator };
}

/**
 * An empty last segment is the trailing slash; a dot segment at the end leaves one. False: the path climbs above `/`, or would for
 * some upstreams lead elsewhere than for the gateway.
 */
function addSegment(segments: Segment[], segment: Segment, isLast: boolean): boolean {
  if (isDisguisedDots(segment.decoded)) return false;
  const isParent = segment.decoded === '..';
  if (isParent && segments.pop() === undefined) return false;
  const isDots = isParent || segment.decoded === '.';
  if (isDots || segment.decoded === '') {
    if (isLast) segments.push({ decoded: '', forward: '' });
  } else segments.push(segment);
  return true;
}

function joined(segments: readonly Segment[], form: 'decoded' | 'forward'): string {
  return `/${segments.map((segment) => segment[form]).join('/')}`;
}

/** Controls have no place in a target, and behind a bare `#` or `?` an upstream stops reading the path. */
function isRefused(code: number): boolean {
  return code <= 0x20 || code === 0x7f || code === HASH || code === QUESTION_MARK;
}

/** The byte of the escape at `index`, or -1 when it is broken. */
function decodeEscape(raw: string, index: number): number {
  const high = hexDigit(raw.charCodeAt(index + 1));
  const low = hexDigit(raw.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
