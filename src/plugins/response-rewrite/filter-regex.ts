import { compileRegex, type RegexOptions, type SafeRegex } from '../../expression/index.ts';

/** Flags of `ngx.re` that change no match here: compilation, caching, names, and UTF-8, since texts are matched byte by byte. */
const WITHOUT_EFFECT = 'jodDJuU';

/** Compiles the expression of a filter with the flags that `ngx.re.sub` takes. */
export function compileFilterRegex(pattern: string, flags: string): SafeRegex | { readonly kind: 'invalid'; readonly message: string } {
  const unknown = [...flags].find((flag) => !`ims${WITHOUT_EFFECT}`.includes(flag));
  if (unknown !== undefined) return { kind: 'invalid', message: `the flag "${unknown}" is not supported` };
  const options: RegexOptions = { ignoreCase: flags.includes('i'), multiline: flags.includes('m'), dotAll: flags.includes('s') };
  return compileRegex(pattern, options);
}
