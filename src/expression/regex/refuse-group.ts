import type { PatternReader } from './pattern-reader.ts';

/** Groups that PCRE has and that cannot be matched in linear time, or are not worth it, by what follows `(?`. */
const REFUSED: readonly (readonly [begin: RegExp, reason: string])[] = [
  [/^(?:[=!]|<[=!])/, 'look-around is not supported'],
  [/^P=/, 'back-references are not supported'],
  [/^>/, 'atomic groups are not supported'],
  [/^\|/, 'branch reset groups are not supported'],
  [/^(?:R|&|P>|[+-]?\d)/, 'recursion is not supported'],
  [/^\(/, 'conditional groups are not supported'],
  [/^C/, 'callouts are not supported'],
];

/** @throws PatternError always: it names what the group at `start` is */
export function refuseGroup(reader: PatternReader, start: number): never {
  const text = reader.text.slice(start + 2, start + 6);
  const [, reason = 'unrecognized character after (?'] = REFUSED.find(([begin]) => begin.test(text)) ?? [];
  return reader.fail(reason, start);
}
