const OUTSIDE_ASCII = /[\u007f-\uffff]/g;

/**
 * JSON text with everything outside printable ASCII as `\uXXXX`, so that a log shown on a terminal can neither steer the terminal
 * nor disguise one letter as another. JSON itself has escaped the controls below 0x20; such characters stand in strings only, so
 * the result is the same JSON value.
 */
export function escapeLogText(json: string): string {
  // One pass over bytes that a vector unit makes decides nearly always; the expression runs only when it must.
  if (Buffer.byteLength(json) === json.length && !json.includes('\u007f')) return json;
  return json.replace(OUTSIDE_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
