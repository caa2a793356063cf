/**
 * Whether no request can ever match a configured path: query and fragment are no part of a path; dot segments, doubled slashes and
 * escapes are gone when a path is matched.
 */
export function isUnreachablePath(path: string): boolean {
  return UNREACHABLE_PATH.test(path);
}

const UNREACHABLE_PATH = /[?#\\]|\/\/|\/\.{1,2}(?:\/|$)|%[0-9a-fA-F]{2}/;
