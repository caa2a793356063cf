import { bytesIn, foldCase, singleton } from './byte-set.ts';
import { ESCAPED_SETS, LINE_ENDS } from './named-sets.ts';
import type { PatternNode } from './pattern-node.ts';
import type { PatternReader } from './pattern-reader.ts';

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['e', 0x1b],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
]);
/** `\R`. PCRE matches it atomically, which differs only where a line feed is asked for right behind it. */
const LINE_END: PatternNode = {
  kind: 'choice',
  alternatives: [
    {
      kind: 'sequence',
      parts: [
        { kind: 'set', members: bytesIn('\r') },
        { kind: 'set', members: bytesIn('\n') },
      ],
    },
    { kind: 'set', members: LINE_ENDS },
  ],
};
/** What a letter behind a backslash means outside of brackets. */
const OUTSIDE: ReadonlyMap<string, PatternNode> = new Map<string, PatternNode>([
  ['A', { kind: 'assertion', name: 'start' }],
  ['z', { kind: 'assertion', name: 'end' }],
  ['b', { kind: 'assertion', name: 'word-boundary' }],
  ['B', { kind: 'assertion', name: 'not-word-boundary' }],
  ['R', LINE_END],
]);
/** What PCRE has and linear matching on bytes has not. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['k', 'back-references are not supported'],
  ['g', 'back-references and recursion are not supported'],
  ['p', 'Unicode properties are not supported, texts are matched byte by byte'],
  ['P', 'Unicode properties are not supported, texts are matched byte by byte'],
  ['X', 'Unicode characters are not supported, texts are matched byte by byte'],
  ['Z', '\\Z is not supported, use $ or \\z: both match at the end of the text only'],
  ['G', '\\G is not supported'],
  ['K', '\\K is not supported'],
  ['C', '\\C is not supported, use [\\s\\S]'],
]);

/** What follows a backslash that has been taken already. */
export function parseEscape(reader: PatternReader, ignoreCase: boolean): PatternNode {
  const start = reader.position - 1;
  const letter = reader.peek();
  if (/[1-9]/.test(letter)) reader.fail('back-references are not supported', start);
  const outside = OUTSIDE.get(letter);
  if (outside !== undefined) {
    reader.take();
    return outside;
  }
  return { kind: 'set', members: parseSetEscape(reader, ignoreCase) };
}

/** What follows a backslash that has been taken already, where it can only name characters. */
function parseSetEscape(reader: PatternReader, ignoreCase: boolean): bigint {
  const named = ESCAPED_SETS.get(reader.peek());
  if (named !== undefined) {
    reader.take();
    return named;
  }
  const character = singleton(parseCharacterEscape(reader));
  return ignoreCase ? foldCase(character) : character;
}

/** The code of the one character that an escape stands for; its backslash has been taken already. */
export function parseCharacterEscape(reader: PatternReader): number {
  const start = reader.position - 1;
  if (reader.atEnd) reader.fail('\\ at end of pattern', start);
  const letter = reader.take();
  const refused = REFUSED.get(letter);
  if (refused !== undefined) reader.fail(refused, start);
  const control = CONTROLS.get(letter);
  if (control !== undefined) return control;
  switch (letter) {
    case 'x':
      return parseHexadecimal(reader, start);
    case '0':
      return Number.parseInt(`0${reader.takeMatch(/[0-7]{0,2}/y)?.[0] ?? ''}`, 8);
    case 'o':
      return inByte(reader, Number.parseInt(reader.takeMatch(/\{([0-7]{1,8})\}/y)?.[1] ?? 'missing', 8), start);
    case 'c':
      return parseControl(reader, start);
  }
  if (/[a-zA-Z0-9]/.test(letter)) reader.fail(`unknown escape \\${letter}`, start);
  return letter.charCodeAt(0);
}

function parseHexadecimal(reader: PatternReader, start: number): number {
  if (reader.peek() === '{')
    return inByte(reader, Number.parseInt(reader.takeMatch(/\{([0-9a-fA-F]{1,8})\}/y)?.[1] ?? 'missing', 16), start);
  return Number.parseInt(`0${reader.takeMatch(/[0-9a-fA-F]{0,2}/y)?.[0] ?? ''}`, 16);
}

function inByte(reader: PatternReader, code: number, start: number): number {
  if (Number.isNaN(code)) reader.fail('malformed escape', start);
  if (code > 0xff) reader.fail('the character of an escape is beyond \\xff, texts are matched byte by byte', start);
  return code;
}

function parseControl(reader: PatternReader, start: number): number {
  const character = reader.take();
  if (!/^[\x20-\x7e]$/.test(character)) reader.fail('\\c must be followed by a printable ASCII character', start);
  return character.toUpperCase().charCodeAt(0) ^ 0x40;
}
