import { compileRegex, type RegexOptions, type SafeRegex } from '../expression/index.ts';
import type { Issue } from '../schema/index.ts';

/** One issue for each text that is no regular expression, or none that can be matched in linear time; `pointer` is the list's. */
export function checkRegexes(patterns: readonly string[], pointer: string, options: RegexOptions = {}): readonly Issue[] {
  return patterns.flatMap((pattern, index) => {
    const regex = compileRegex(pattern, options);
    return regex.kind === 'invalid' ? [{ pointer: `${pointer}/${index}`, message: regex.message }] : [];
  });
}

/**
 * Compiles what `checkRegexes` has accepted.
 * @throws Error for anything else
 */
export function compileRegexes(patterns: readonly string[], options: RegexOptions = {}): readonly SafeRegex[] {
  return patterns.map((pattern) => {
    const regex = compileRegex(pattern, options);
    if (regex.kind === 'invalid') throw new Error(`a regular expression is invalid: ${regex.message}`);
    return regex;
  });
}
