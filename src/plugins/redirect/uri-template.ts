import type { VariableSource } from '../../expression/index.ts';
import { byteStringOf } from '../../lib/byte-string.ts';

/** A location with variables in it; gives a byte string. */
export type UriTemplate = (source: VariableSource) => string;

type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'variable'; readonly name: string };

/** `\$name`, `${name}`, `$name`, or a run of other characters; a backslash before anything else is left out, as in APISIX. */
const PIECE = /(?<escaped>\\\$\w+)|\$\{(?<braced>\w+)\}|\$(?<plain>\w+)|(?<text>\$|[^$\\]+)/g;

/**
 * Compiles the `uri` of redirect, which has rules of its own: names end at a dot, there are no defaults, `\$name` stands for itself with its
 * backslash. `escapeValue` is applied to what is inserted; a variable that the request does not have vanishes.
 */
export function compileUriTemplate(uri: string, escapeValue: (value: string) => string): UriTemplate {
  const pieces = [...byteStringOf(uri).matchAll(PIECE)].map(({ groups = {} }): Piece => {
    const name = groups.braced ?? groups.plain;
    return name === undefined ? { kind: 'text', text: groups.escaped ?? groups.text ?? '' } : { kind: 'variable', name };
  });
  return (source) =>
    pieces.map((piece) => (piece.kind === 'text' ? piece.text : escapeValue(valueOfVariable(source, piece.name)))).join('');
}

function valueOfVariable(source: VariableSource, name: string): string {
  const value = source.variable(name);
  return value === undefined ? '' : String(value);
}
