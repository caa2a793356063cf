import { byteStringOf } from '../lib/byte-string.ts';

/** What a match is replaced with, ready to be filled; from `compileReplacement`. */
export type Replacement = readonly ReplacementPiece[];

export type ReplacementPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'name'; readonly name: string };

const REFERENCE = /\$(?:(?<dollar>\$)|(?<number>\d{1,4})|\{(?<bracedNumber>\d{1,4})\}|\{(?<name>[A-Za-z_]\w{0,31})\})/g;

/**
 * Reads a replacement text as `ngx.re.sub` does: `$1` and `${1}` are captures, `$0` is the whole match, `$$` is a dollar sign; all
 * digits behind `$` belong to the number. `${name}` is a named capture. A capture that took no part in the match, or that the pattern
 * does not have, is empty; any other `$` stands for itself. Configured text becomes a byte string.
 */
export function compileReplacement(text: string): Replacement {
  const bytes = byteStringOf(text);
  const pieces: ReplacementPiece[] = [];
  let position = 0;
  for (const match of bytes.matchAll(REFERENCE)) {
    if (match.index > position) pieces.push({ kind: 'text', text: bytes.slice(position, match.index) });
    pieces.push(pieceOf(match.groups ?? {}));
    position = match.index + match[0].length;
  }
  if (position < bytes.length) pieces.push({ kind: 'text', text: bytes.slice(position) });
  return pieces;
}

function pieceOf(groups: Readonly<Record<string, string | undefined>>): ReplacementPiece {
  if (groups.dollar !== undefined) return { kind: 'text', text: '$' };
  if (groups.name !== undefined) return { kind: 'name', name: groups.name };
  return { kind: 'number', number: Number(groups.number ?? groups.bracedNumber) };
}

/** The text that takes the place of a match; `captures` begin with the whole match. */
export function fillReplacement(
  replacement: Replacement,
  captures: readonly (string | undefined)[],
  names: ReadonlyMap<string, number>,
): string {
  let text = '';
  for (const piece of replacement) {
    switch (piece.kind) {
      case 'text':
        text += piece.text;
        break;
      case 'number':
        text += captures[piece.number] ?? '';
        break;
      case 'name':
        text += captures[names.get(piece.name) ?? -1] ?? '';
        break;
    }
  }
  return text;
}
