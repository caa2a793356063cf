import type { SafeRegex } from '../../expression/index.ts';
import { byteStringOf } from '../../lib/byte-string.ts';

/** What `Access-Control-Allow-Origin` says to a request with this origin; undefined where no such header goes out. */
export type AnswerOrigin = (origin: string | undefined) => string | undefined;

/**
 * Origins as they are configured: `*` stands for itself, `**` for whichever asks, one or several for those that are equal byte for
 * byte (the Fetch standard serialises origins in one way only).
 */
export function originsOfText(text: string): AnswerOrigin {
  if (text === '*') return () => '*';
  if (text === '**') return (origin) => origin ?? '*';
  const origins = new Set(byteStringOf(text).split(','));
  return (origin) => (origin !== undefined && origins.has(origin) ? origin : undefined);
}

/** Origins in which one of the regular expressions is found. */
export function originsOfRegexes(rules: readonly SafeRegex[]): AnswerOrigin {
  return (origin) => (origin !== undefined && rules.some((rule) => rule.test(origin)) ? origin : undefined);
}

/** Named sets of origins, tried one after the other; `*` and `**` in one of them stand for whichever asks. */
export function originsOfSets(sets: readonly string[]): AnswerOrigin {
  const answers = sets.map((set) => originsOfText(set === '*' ? '**' : set));
  return (origin) => (origin !== undefined && answers.some((answer) => answer(origin) !== undefined) ? origin : undefined);
}
