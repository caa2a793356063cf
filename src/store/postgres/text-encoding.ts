/**
 * Text as PostgreSQL can hold it: it knows no NUL. NUL becomes U+0001 U+0001 and U+0001 becomes U+0001 U+0002, so that no two texts
 * become one and the order of bytes stays. Almost no text is changed.
 */
export function encodeText(text: string): string {
  if (!text.includes('\0') && !text.includes(ESCAPE)) return text;
  return text.replaceAll(ESCAPE, `${ESCAPE}\u0002`).replaceAll('\0', `${ESCAPE}\u0001`);
}

/** The text that `encodeText` was given. */
export function decodeText(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  return text.replace(/\u0001([\u0001\u0002])/g, (_, escaped: string) => (escaped === '\u0001' ? '\0' : ESCAPE));
}

const ESCAPE = '\u0001';
