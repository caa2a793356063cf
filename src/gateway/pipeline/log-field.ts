const HARMLESS = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const OUTSIDE_PRINTABLE = /[^\x20-\x7e]/g;
/** Longest text from outside that stands in a line of the log. */
const MAX_LENGTH = 1024;

/**
 * A text as a JSON string in printable ASCII, cut after `maxLength` characters, so that no client can write control
 * sequences to a terminal or break a line of the log.
 */
function quoted(text: string, maxLength = MAX_LENGTH): string {
  const bounded = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  if (HARMLESS.test(bounded)) return `"${bounded}"`;
  return JSON.stringify(bounded).replace(OUTSIDE_PRINTABLE, escaped);
}

/** A field that follows others in a line of the log; nothing for a text that is absent or empty. `name` needs no escaping. */
export function logField(name: string, text: string | undefined): string {
  return text === undefined || text === '' ? '' : `,"${name}":${quoted(text)}`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
