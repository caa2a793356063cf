import { byteStringOf } from '../lib/byte-string.ts';
import type { VariableSource, VariableValue } from './variable-source.ts';

/** A text with variables in it, ready to be filled. All texts are byte strings, one character per byte. */
export interface Template {
  /** True: every expansion gives the same text. */
  readonly isConstant: boolean;
  /** The names it reads, each once; byte strings. */
  readonly variables: readonly string[];
  /**
   * Fills the template. `escapeValue` is applied to each value that is inserted; defaults count as values. `captures` are what a regular
   * expression matched, the whole match first; without them capture references are empty.
   */
  expand(source: VariableSource, escapeValue?: (value: string) => string, captures?: readonly (string | undefined)[]): ExpandedTemplate;
}

export interface ExpandedTemplate {
  readonly text: string;
  /** How many variables had a value or a default. Limiters take 0 for "no key". */
  readonly resolved: number;
}

export interface TemplateOptions {
  /** `$1` and `${1}` are captures of a regular expression, not variables; the template of proxy-rewrite's headers. */
  readonly captures?: boolean;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly fallback: string | undefined }
  | { readonly kind: 'capture'; readonly index: number };

/** `$` without a backslash before it; then `{…}` where a brace closes behind it, or word characters and dots. */
const REFERENCE = /(?<!\\)\$(?:\{(?<braced>[^}]+)\}|(?<plain>[\w.]+))/g;
const UNBRACED_REFERENCE = /(?<!\\)\$(?<plain>[\w.]+)/g;
const CAPTURE_OR_REFERENCE = /(?<!\\)\$(?:\{(?<bracedNumber>\d{1,4})\}|(?<number>\d{1,4})|\{(?<braced>[^}]+)\}|(?<plain>[\w.]+))/g;
const UNBRACED_CAPTURE_OR_REFERENCE = /(?<!\\)\$(?:(?<number>\d{1,4})|(?<plain>[\w.]+))/g;

/**
 * Compiles `$name`, `${name}` and `${name ?? default}` (APISIX, `core.utils.resolve_var`). An unknown variable without a default is
 * empty; `\$` is no reference, and its backslash stays. Text that merely looks like a reference is kept as it is. A list is joined
 * by commas. Unlike in APISIX, what is inserted is never read for references again.
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): Template {
  const pieces = readPieces(byteStringOf(text), options.captures === true);
  const names = new Set<string>();
  for (const piece of pieces) if (piece.kind === 'variable') names.add(piece.name);
  if (pieces.every((piece) => piece.kind === 'text')) {
    const expanded = { text: pieces.map((piece) => piece.text).join(''), resolved: 0 };
    return { isConstant: true, variables: [], expand: () => expanded };
  }
  return {
    isConstant: false,
    variables: [...names],
    expand: (source, escapeValue = asItIs, captures = NO_CAPTURES) => expandPieces(pieces, source, escapeValue, captures),
  };
}

const BLANKS = ' \t\n\v\f\r';
const NO_CAPTURES: readonly (string | undefined)[] = [];

function asItIs(value: string): string {
  return value;
}

/** Nothing is looked for between braces behind the last `}`: every `${` there would read the text to its end. */
function readPieces(text: string, withCaptures: boolean): readonly Piece[] {
  const end = text.lastIndexOf('}') + 1;
  const pieces: Piece[] = [];
  addPieces(pieces, text.slice(0, end), withCaptures ? CAPTURE_OR_REFERENCE : REFERENCE);
  addPieces(pieces, text.slice(end), withCaptures ? UNBRACED_CAPTURE_OR_REFERENCE : UNBRACED_REFERENCE);
  return pieces;
}

function addPieces(pieces: Piece[], text: string, reference: RegExp): void {
  let position = 0;
  for (const match of text.matchAll(reference)) {
    if (match.index > position) pieces.push({ kind: 'text', text: text.slice(position, match.index) });
    pieces.push(pieceOf(match.groups ?? {}));
    position = match.index + match[0].length;
  }
  if (position < text.length) pieces.push({ kind: 'text', text: text.slice(position) });
}

function pieceOf(groups: Readonly<Record<string, string | undefined>>): Piece {
  const number = groups.bracedNumber ?? groups.number;
  if (number !== undefined) return { kind: 'capture', index: Number(number) };
  const [name = '', fallback] = (groups.braced ?? groups.plain ?? '').split('??', 2);
  return { kind: 'variable', name: withoutBlanks(name), fallback: fallback === undefined ? undefined : withoutBlanks(fallback) };
}

/** Without ASCII blanks at both ends; `trim` would cut 0xA0, which is a part of many characters in UTF-8. */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && BLANKS.includes(text.charAt(start))) start += 1;
  while (end > start && BLANKS.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function expandPieces(
  pieces: readonly Piece[],
  source: VariableSource,
  escapeValue: (value: string) => string,
  captures: readonly (string | undefined)[],
): ExpandedTemplate {
  let text = '';
  let resolved = 0;
  for (const piece of pieces) {
    switch (piece.kind) {
      case 'text':
        text += piece.text;
        break;
      case 'capture':
        text += escapeValue(captures[piece.index] ?? '');
        break;
      case 'variable': {
        const value = textOf(source.variable(piece.name)) ?? piece.fallback;
        if (value === undefined) break;
        text += escapeValue(value);
        resolved += 1;
      }
    }
  }
  return { text, resolved };
}

function textOf(value: VariableValue): string | undefined {
  if (typeof value === 'string' || value === undefined) return value;
  return String(value);
}
