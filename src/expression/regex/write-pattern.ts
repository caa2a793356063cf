import { ABOVE_BYTES, ANY_CHARACTER, type ByteSet, NO_CHARACTER, runsOf } from './byte-set.ts';
import type { AssertionName, PatternNode, RepeatNode } from './pattern-node.ts';

/** How an engine spells what the engines spell differently. */
export interface Spelling {
  readonly anyCharacter: string;
  readonly noCharacter: string;
  readonly firstAboveBytes: string;
  readonly highestCharacter: string;
  readonly assertions: Readonly<Record<AssertionName, string>>;
}

/** For `RegExp` without flags. Its own `m` takes carriage returns for the ends of lines too. */
export const JAVASCRIPT: Spelling = {
  anyCharacter: '[^]',
  noCharacter: '[]',
  firstAboveBytes: '\\u0100',
  highestCharacter: '\\uffff',
  assertions: {
    start: '^',
    end: '$',
    'line-start': '(?<![^\\n])',
    'line-end': '(?![^\\n])',
    'word-boundary': '\\b',
    'not-word-boundary': '\\B',
  },
};

/** For RE2 without flags (github.com/google/re2/wiki/Syntax). */
export const RE2: Spelling = {
  anyCharacter: '(?s:.)',
  noCharacter: '[^\\x00-\\x{10ffff}]',
  firstAboveBytes: '\\x{100}',
  highestCharacter: '\\x{10ffff}',
  assertions: {
    start: '\\A',
    end: '\\z',
    'line-start': '(?m:^)',
    'line-end': '(?m:$)',
    'word-boundary': '\\b',
    'not-word-boundary': '\\B',
  },
};

/** The pattern as text for an engine. Captures keep their numbers; possessive repetitions must be resolved before. */
export function writePattern(node: PatternNode, spelling: Spelling): string {
  switch (node.kind) {
    case 'set':
      return writeSet(node.members, spelling);
    case 'sequence':
      return node.parts.map((part) => writePart(part, spelling)).join('');
    case 'choice':
      return node.alternatives.map((alternative) => writePattern(alternative, spelling)).join('|');
    case 'capture':
      return `(${writePattern(node.body, spelling)})`;
    case 'assertion':
      return spelling.assertions[node.name];
    case 'repeat':
      return writeRepeat(node, spelling);
  }
}

function writePart(node: PatternNode, spelling: Spelling): string {
  return node.kind === 'choice' ? `(?:${writePattern(node, spelling)})` : writePattern(node, spelling);
}

function writeRepeat(node: RepeatNode, spelling: Spelling): string {
  const body = writePattern(node.body, spelling);
  const isOne = node.body.kind === 'set' || node.body.kind === 'capture';
  return `${isOne ? body : `(?:${body})`}${quantifier(node)}${node.mode === 'lazy' ? '?' : ''}`;
}

function quantifier({ min, max }: RepeatNode): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function writeSet(members: ByteSet, spelling: Spelling): string {
  if (members === ANY_CHARACTER) return spelling.anyCharacter;
  if (members === NO_CHARACTER) return spelling.noCharacter;
  const runs = runsOf(members);
  const [[low, high] = [0, 0]] = runs;
  if (runs.length === 1 && low === high && low !== ABOVE_BYTES) return writeCharacter(low);
  return `[${runs.map((run) => writeRun(run[0], run[1], spelling)).join('')}]`;
}

function writeRun(low: number, high: number, spelling: Spelling): string {
  if (high < ABOVE_BYTES) return low === high ? writeCharacter(low) : `${writeCharacter(low)}-${writeCharacter(high)}`;
  const first = low === ABOVE_BYTES ? spelling.firstAboveBytes : writeCharacter(low);
  return `${first}-${spelling.highestCharacter}`;
}

function writeCharacter(code: number): string {
  const character = String.fromCharCode(code);
  return /[A-Za-z0-9_/ ]/.test(character) ? character : `\\x${code.toString(16).padStart(2, '0')}`;
}
