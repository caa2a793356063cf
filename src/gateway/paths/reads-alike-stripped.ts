import { readPath } from './read-path.ts';
import { stripPathPrefix } from './strip-path-prefix.ts';

/**
 * Whether an upstream that takes `%2F` and `%5C` for separators reads in the stripped path what it would be given had the client written
 * separators. It does not where dot segments behind encoded separators climb out of what is left, into the prefix that is gone.
 * `forwardPath` is a `NormalisedPath`'s.
 */
export function readsAlikeStripped(forwardPath: string, pathPrefix: string): boolean {
  const stripped = readPath(stripPathPrefix(forwardPath, pathPrefix), 'separator');
  const whole = readPath(forwardPath, 'separator');
  return stripped !== undefined && whole !== undefined && stripped.forwardPath === stripPathPrefix(whole.forwardPath, pathPrefix);
}
