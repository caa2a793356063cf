/**
 * The same text as the engine keeps property names: equal texts are then one object, whose hash is known, so that comparing and looking
 * up in maps and sets cost a few nanoseconds instead of a hundred. For texts that are made once and used for many requests.
 */
export function internalized(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text;
}
