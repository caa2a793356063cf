const HARMLESS = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const OUTSIDE_PRINTABLE = /[^\x20-\x7e]/g;

/**
 * A text as a JSON string in printable ASCII, cut after `maxLength` characters, so that no client can write control
 * sequences to a terminal or break a line of the log.
 */
export function quoted(text: string, maxLength: number): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  if (HARMLESS.test(bounded)) return `"${bounded}"`;
  return JSON.stringify(bounded).replace(OUTSIDE_PRINTABLE, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
