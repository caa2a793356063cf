/** What nginx escapes in a path (`NGX_ESCAPE_URI`): blanks, controls, bytes outside ASCII, and what means something else in a URI. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are among what is escaped.
const NOT_IN_PATH = /[\x00-\x20"#%<>?\\^`{|}\x7f-\xff]/g;
/** What cannot stand in a request target at all, however it is meant: blanks, controls, and `#`, behind which others stop reading. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are among what is escaped.
const NOT_IN_TARGET = /[\x00-\x20#\x7f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is escaped.
const NOT_IN_FIELD = /[\x00-\x08\x0a-\x1f\x7f]/g;

/** A decoded path (byte string) as it can stand in a URI: APISIX's `uri_safe_encode`. Slashes stay. */
export function escapePath(path: string): string {
  return path.replace(NOT_IN_PATH, escapeByte);
}

/** A target (byte string) that can stand in a request line: nothing in it means anything else than before. */
export function escapeTarget(target: string): string {
  return target.replace(NOT_IN_TARGET, escapeByte);
}

/** A text (byte string) that can be the value of a header: control characters but HTAB are percent-encoded, as OpenResty does. */
export function escapeFieldValue(value: string): string {
  return value.replace(NOT_IN_FIELD, escapeByte);
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
