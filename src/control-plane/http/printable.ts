const MAX_CHARACTERS = 512;

/** A client's text as it may stand in a log line: printable ASCII, the rest escaped, and not endless. */
export function printable(text: string): string {
  const shown = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return shown.replace(/[^\x20-\x7e…]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
