import { isAmortised } from './regex/is-amortised.ts';
import { isLinear } from './regex/is-linear.ts';
import { nativeEngine } from './regex/native-engine.ts';
import { parsePattern } from './regex/parse-pattern.ts';
import { PatternError } from './regex/pattern-error.ts';
import { type Pattern, stepCount } from './regex/pattern-node.ts';
import { re2Engine } from './regex/re2-engine.ts';
import type { RegexEngine } from './regex/regex-engine.ts';
import { resolvePossessive } from './regex/resolve-possessive.ts';
import { REGEX_BUDGET_EXCEEDED, spendOnRegex } from './regex-budget.ts';
import { fillReplacement, type Replacement } from './replacement.ts';

export interface RegexOptions {
  /** Letters of ASCII match in both cases. PCRE's `i`. */
  readonly ignoreCase?: boolean;
  /** `.` matches a line feed too. PCRE's `s`. */
  readonly dotAll?: boolean;
  /** `^` and `$` match at line feeds too. PCRE's `m`. */
  readonly multiline?: boolean;
}

export interface RegexMatch {
  /** Where the match begins. */
  readonly index: number;
  /** The whole match, then the captures in order; undefined for one that took no part. */
  readonly captures: readonly (string | undefined)[];
  /** The named captures, in an object without a prototype; undefined where the pattern names none. */
  readonly groups: Readonly<Record<string, string | undefined>> | undefined;
}

const MAX_PATTERN_CHARACTERS = 4096;
/** Of characters and sets, with repetitions written out: nothing larger is given to RE2 to compile. */
const MAX_STEPS = 5000;
/** Characters that one global replacement may read in all, each times the size of the pattern, where its searches may overlap: seconds at worst. */
const MAX_STEPS_OF_REPLACEMENT = 1 << 26;

/**
 * Compiles a regular expression that a user wrote: PCRE's syntax and meaning as far as it can be matched in linear time, on byte
 * strings (one character per byte, as nginx sees texts). JavaScript's engine is used where it is proven to take linear time, else RE2.
 * What neither can do is invalid, with a text that names it: look-around, back-references, atomic groups, recursion, Unicode classes.
 * `$` is the end of the text only, also in front of a last line feed, where PCRE's matches too.
 */
export function compileRegex(
  pattern: string,
  options: RegexOptions = {},
): SafeRegex | { readonly kind: 'invalid'; readonly message: string } {
  if (pattern.length > MAX_PATTERN_CHARACTERS)
    return { kind: 'invalid', message: `the pattern has more than ${MAX_PATTERN_CHARACTERS} characters` };
  if (!spendOnRegex(pattern.length)) return { kind: 'invalid', message: REGEX_BUDGET_EXCEEDED };
  try {
    const { ignoreCase = false, dotAll = false, multiline = false } = options;
    const parsed = parsePattern(pattern, { ignoreCase, dotAll, multiline });
    return new SafeRegex(pattern, { ...parsed, root: resolvePossessive(parsed.root) });
  } catch (error) {
    if (error instanceof PatternError) return { kind: 'invalid', message: error.message };
    throw error;
  }
}

/** A regular expression that takes time in proportion to the text it is matched against. Made by `compileRegex`. */
export class SafeRegex {
  readonly kind = 'regex';
  readonly source: string;
  readonly captureCount: number;
  readonly #engine: RegexEngine;
  readonly #names: ReadonlyMap<string, number>;
  /** What finding one match after the other costs for each character left, in steps; 0 where searches do not overlap. */
  readonly #steps: number;

  /** @throws PatternError for a pattern that is too large for the engine that it needs */
  constructor(source: string, pattern: Pattern) {
    this.source = source;
    this.captureCount = pattern.captureCount;
    this.#names = pattern.names;
    this.#steps = isAmortised(pattern.root) ? 0 : stepCount(pattern.root);
    this.#engine = chooseEngine(pattern);
  }

  /** Which engine was chosen: `native` is 40 to 70 times quicker. */
  get engine(): 'native' | 're2' {
    return this.#engine.name;
  }

  /** Whether the pattern matches anywhere in the text. */
  test(text: string): boolean {
    return this.#engine.test(text);
  }

  /** The first match in the text. */
  exec(text: string): RegexMatch | undefined {
    const match = this.#engine.find(text, 0);
    return match === undefined ? undefined : { ...match, groups: this.#groupsOf(match.captures) };
  }

  /**
   * The text with its first match, or all that do not overlap, replaced.
   * @throws RangeError where replacing all would take more than linear time: the pattern makes it read the rest of a long text again
   *   and again. With a pattern of ten characters and sets, never on texts of up to 3,500 characters.
   */
  replace(text: string, replacement: Replacement, scope: 'once' | 'global'): string {
    if (scope === 'global') this.#engine.prepareForMany();
    let replaced = '';
    let copied = 0;
    let steps = 0;
    for (let from = 0; from <= text.length; ) {
      const match = this.#engine.find(text, from);
      if (match === undefined) break;
      const end = match.index + (match.captures[0] ?? '').length;
      replaced += text.slice(copied, match.index) + fillReplacement(replacement, match.captures, this.#names);
      copied = end;
      if (scope === 'once') break;
      steps += (text.length - from) * this.#steps;
      if (steps > MAX_STEPS_OF_REPLACEMENT)
        throw new RangeError('a regular expression takes too long to replace all its matches in this text');
      from = end === match.index ? end + 1 : end;
    }
    return copied === 0 && replaced === '' ? text : replaced + text.slice(copied);
  }

  #groupsOf(captures: readonly (string | undefined)[]): Readonly<Record<string, string | undefined>> | undefined {
    if (this.#names.size === 0) return undefined;
    const groups: Record<string, string | undefined> = Object.create(null);
    for (const [name, number] of this.#names) groups[name] = captures[number];
    return groups;
  }
}

function chooseEngine(pattern: Pattern): RegexEngine {
  if (isLinear(pattern.root)) return nativeEngine(pattern.root);
  if (stepCount(pattern.root) > MAX_STEPS)
    throw new PatternError(`the pattern is too large: ${MAX_STEPS} characters and sets, repetitions written out, are the most`);
  return re2Engine(pattern.root);
}
