import { byteStringOf } from '../../lib/byte-string.ts';
import { ANY_CHARACTER, foldCase, NO_CHARACTER, singleton } from './byte-set.ts';
import { NOT_LINE_FEED } from './named-sets.ts';
import { parseClass } from './parse-class.ts';
import { parseEscape } from './parse-escape.ts';
import type { Pattern, PatternNode, RepeatMode } from './pattern-node.ts';
import { PatternReader } from './pattern-reader.ts';
import { refuseGroup } from './refuse-group.ts';

/** What a pattern is read under; `(?i)` and its like change it up to the end of their group. */
export interface PatternFlags {
  readonly ignoreCase: boolean;
  /** `.` matches a line feed too. */
  readonly dotAll: boolean;
  /** `^` and `$` match at line feeds too. */
  readonly multiline: boolean;
}

type OpenFlags = { -readonly [Name in keyof PatternFlags]: PatternFlags[Name] };

/** As in PCRE. */
const MAX_DEPTH = 250;
const MAX_CAPTURES = 64;
const MAX_REPEAT = 1000;
const NAME = /([A-Za-z_]\w{0,31})[>']/y;
const QUANTIFIER = /[*+?]|\{\d{1,5}(?:,\d{0,5})?\}/y;
const FLAGS = /([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/y;

/**
 * Reads a pattern in PCRE's syntax, as bytes (a character outside of ASCII is a sequence of bytes, as in nginx).
 * @throws PatternError for what is malformed, and for what cannot be matched in linear time, by its name
 */
export function parsePattern(pattern: string, flags: PatternFlags): Pattern {
  const parser = new PatternParser(byteStringOf(pattern));
  const root = parser.parse(flags);
  return { root, captureCount: parser.captureCount, names: parser.names };
}

class PatternParser {
  readonly names = new Map<string, number>();
  captureCount = 0;
  readonly #reader: PatternReader;
  #depth = 0;
  /** Between `\Q` and `\E`. */
  #quoting = false;

  constructor(text: string) {
    this.#reader = new PatternReader(text);
  }

  parse(flags: PatternFlags): PatternNode {
    const root = this.#parseChoice({ ...flags });
    if (!this.#reader.atEnd) this.#reader.fail('unmatched closing parenthesis');
    return root;
  }

  #parseChoice(flags: OpenFlags): PatternNode {
    const alternatives = [this.#parseSequence(flags)];
    while (this.#reader.takeIf('|')) alternatives.push(this.#parseSequence(flags));
    const [only] = alternatives;
    return alternatives.length === 1 && only !== undefined ? only : choiceOf(alternatives);
  }

  #parseSequence(flags: OpenFlags): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.#reader.atEnd && (this.#quoting || !/[|)]/.test(this.#reader.peek()))) {
      const start = this.#reader.position;
      const item = this.#parseItem(flags);
      if (this.#quoting && this.#reader.takeIf('\\E')) this.#quoting = false;
      if (item !== undefined) parts.push(this.#quoting ? item : this.#parseQuantifier(item, start));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'sequence', parts };
  }

  /** Undefined for what is nothing by itself: flags, comments, quotation marks. */
  #parseItem(flags: OpenFlags): PatternNode | undefined {
    const reader = this.#reader;
    if (this.#quoting) return reader.text.startsWith('\\E', reader.position) ? undefined : this.#literal(reader.take(), flags);
    if (isQuantifier(reader)) reader.fail('quantifier does not follow a repeatable item');
    const character = reader.take();
    switch (character) {
      case '(':
        return this.#parseGroup(flags);
      case '[':
        return { kind: 'set', members: parseClass(reader, flags.ignoreCase) };
      case '.':
        return { kind: 'set', members: flags.dotAll ? ANY_CHARACTER : NOT_LINE_FEED };
      case '^':
        return { kind: 'assertion', name: flags.multiline ? 'line-start' : 'start' };
      case '$':
        return { kind: 'assertion', name: flags.multiline ? 'line-end' : 'end' };
      case '\\':
        if (reader.takeIf('E')) return undefined;
        if (!reader.takeIf('Q')) return parseEscape(reader, flags.ignoreCase);
        this.#quoting = true;
        return undefined;
      default:
        return this.#literal(character, flags);
    }
  }

  #literal(character: string, flags: PatternFlags): PatternNode {
    const members = singleton(character.charCodeAt(0));
    return { kind: 'set', members: flags.ignoreCase ? foldCase(members) : members };
  }

  #parseQuantifier(body: PatternNode, start: number): PatternNode {
    const reader = this.#reader;
    const quantifier = reader.takeMatch(QUANTIFIER)?.[0];
    if (quantifier === undefined) return body;
    if (body.kind === 'assertion') reader.fail('quantifier does not follow a repeatable item', start);
    const [min, max] = boundsOf(quantifier);
    if (min > max) reader.fail('numbers out of order in {} quantifier', start);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && max !== Number.POSITIVE_INFINITY))
      reader.fail(`a repetition of more than ${MAX_REPEAT} is not supported`, start);
    const mode: RepeatMode = reader.takeIf('?') ? 'lazy' : reader.takeIf('+') ? 'possessive' : 'greedy';
    return { kind: 'repeat', body, min, max, mode };
  }

  /** A group whose `(` has been taken already. */
  #parseGroup(flags: OpenFlags): PatternNode | undefined {
    const reader = this.#reader;
    const start = reader.position - 1;
    if (reader.peek() === '*') reader.fail('verbs such as (*SKIP) are not supported', start);
    if (!reader.takeIf('?')) return this.#parseCapture(undefined, flags, start);
    if (reader.takeIf('#')) {
      if (reader.takeMatch(/[^)]*\)/y) === undefined) reader.fail('missing ) after (?# comment', start);
      return undefined;
    }
    if (reader.takeMatch(/(?:P?<(?![=!])|')/y) !== undefined) {
      const name = reader.takeMatch(NAME)?.[1] ?? reader.fail('malformed name of a group', start);
      return this.#parseCapture(name, flags, start);
    }
    const letters = reader.takeMatch(FLAGS);
    if (letters === undefined) return refuseGroup(reader, start);
    const [, on = '', off = '', end] = letters;
    const inner = end === ':' ? { ...flags } : flags;
    for (const letter of on) this.#setFlag(inner, letter, true, start);
    for (const letter of off) this.#setFlag(inner, letter, false, start);
    return end === ':' ? this.#parseBody(inner, start) : undefined;
  }

  #setFlag(flags: OpenFlags, letter: string, on: boolean, start: number): void {
    if (letter === 'i') flags.ignoreCase = on;
    else if (letter === 's') flags.dotAll = on;
    else if (letter === 'm') flags.multiline = on;
    else if (letter === 'R' || letter === 'C') refuseGroup(this.#reader, start);
    else this.#reader.fail(`the flag ${letter} is not supported`, start);
  }

  #parseCapture(name: string | undefined, flags: PatternFlags, start: number): PatternNode {
    this.captureCount += 1;
    if (this.captureCount > MAX_CAPTURES) this.#reader.fail(`more than ${MAX_CAPTURES} captures are not supported, use (?:`, start);
    if (name !== undefined && this.names.has(name)) this.#reader.fail('two groups have the same name', start);
    if (name !== undefined) this.names.set(name, this.captureCount);
    return { kind: 'capture', body: this.#parseBody({ ...flags }, start) };
  }

  #parseBody(flags: OpenFlags, start: number): PatternNode {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#reader.fail('parentheses are nested too deeply', start);
    const body = this.#parseChoice(flags);
    if (!this.#reader.takeIf(')')) this.#reader.fail('missing closing parenthesis', start);
    this.#depth -= 1;
    return body;
  }
}

/** A choice of single characters is a set of them. */
function choiceOf(alternatives: readonly PatternNode[]): PatternNode {
  const sets = alternatives.filter((alternative) => alternative.kind === 'set');
  if (sets.length < alternatives.length) return { kind: 'choice', alternatives };
  return { kind: 'set', members: sets.reduce((union, set) => union | set.members, NO_CHARACTER) };
}

function isQuantifier(reader: PatternReader): boolean {
  QUANTIFIER.lastIndex = reader.position;
  return QUANTIFIER.test(reader.text);
}

function boundsOf(quantifier: string): readonly [min: number, max: number] {
  if (quantifier === '*') return [0, Number.POSITIVE_INFINITY];
  if (quantifier === '+') return [1, Number.POSITIVE_INFINITY];
  if (quantifier === '?') return [0, 1];
  const [min = '', max] = quantifier.slice(1, -1).split(',');
  return [Number(min), max === undefined ? Number(min) : max === '' ? Number.POSITIVE_INFINITY : Number(max)];
}
