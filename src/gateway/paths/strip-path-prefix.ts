import { byteStringOf } from '../../lib/byte-string.ts';

/**
 * A path to be forwarded (byte string, see `NormalisedPath`) without the service's `path_prefix` (configured text); it always
 * begins with `/`. Escapes are compared by what they stand for, so `/%61pi/x` loses `/api`; the rest stays byte for byte.
 * A parameter of the prefix (`/:tenant`) takes a segment, whatever it is.
 * A path that does not lie under the prefix is given back as it is, and so is any path when the prefix is `/`.
 */
export function stripPathPrefix(forwardPath: string, pathPrefix: string): string {
  const prefix = byteStringOf(pathPrefix).replace(/\/+$/, '');
  let at = 0;
  for (let index = 0; index < prefix.length; index++) {
    if (prefix[index] === ':' && prefix[index - 1] === '/') {
      const end = endOfSegment(forwardPath, at);
      if (end === at) return forwardPath;
      at = end;
      index = endOfSegment(prefix, index) - 1;
      continue;
    }
    const decoded = escapeAt(forwardPath, at);
    const code = decoded >= 0 ? decoded : forwardPath.charCodeAt(at);
    if (code !== prefix.charCodeAt(index)) return forwardPath;
    at += decoded >= 0 ? 3 : 1;
  }
  if (at === forwardPath.length) return '/';
  return forwardPath[at] === '/' ? forwardPath.slice(at) : forwardPath;
}

function endOfSegment(path: string, start: number): number {
  const slash = path.indexOf('/', start);
  return slash === -1 ? path.length : slash;
}

/** The byte that the escape here stands for, or -1: an encoded slash is data and matches no slash. */
function escapeAt(path: string, index: number): number {
  if (path[index] !== '%') return -1;
  const code = Number.parseInt(path.slice(index + 1, index + 3), 16);
  return code === 0x2f ? -1 : code;
}
