/**
 * Patterns of permission policies: text in which `*` stands for any characters, none and `/` included. `<.*>` is API7's older way to
 * write it.
 */
export type Pattern = string & { readonly __pattern: true };

/** The pattern that stands for everything. */
export const ANYTHING = '*' as Pattern;

const MAX_CHARACTERS = 1_024;

/** Reads a pattern; undefined where it holds another regular expression in `<…>`, or is empty or longer than 1,024 characters. */
export function readPattern(text: string): Pattern | undefined {
  if (text === '' || text.length > MAX_CHARACTERS) return undefined;
  const plain = text.replaceAll('<.*>', '*').replaceAll(/\*{2,}/g, '*');
  if (/[<>]/.test(plain)) return undefined;
  // The one place where text becomes a pattern.
  return plain as Pattern;
}

/**
 * Whether a pattern stands for everything that `subject` stands for. A subject without `*` is a name; a `*` in it is matched by a `*`
 * of the pattern alone, so that a pattern covers another one exactly when it matches it as text.
 */
export function covers(pattern: Pattern, subject: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return first === subject;
  if (!subject.startsWith(first) || subject.length < first.length + last.length || !subject.endsWith(last)) return false;
  let position = first.length;
  const end = subject.length - last.length;
  for (const part of rest) {
    const found = subject.indexOf(part, position);
    if (found < 0 || found + part.length > end) return false;
    position = found + part.length;
  }
  return true;
}

/** Whether there is a name that both patterns stand for. Time is the product of their lengths. */
export function overlap(one: string, other: string): boolean {
  // Row by row: whether the rest of `one` and the rest of `other` have a name in common.
  let next = restsAfterEnd(other);
  for (let i = one.length - 1; i >= 0; i -= 1) {
    const row = new Array<boolean>(other.length + 1).fill(false);
    row[other.length] = one[i] === '*' && next[other.length] === true;
    for (let j = other.length - 1; j >= 0; j -= 1) {
      if (one[i] === '*' || other[j] === '*') row[j] = next[j] === true || row[j + 1] === true;
      else row[j] = one[i] === other[j] && next[j + 1] === true;
    }
    next = row;
  }
  return next[0] === true;
}

function restsAfterEnd(other: string): boolean[] {
  const row = new Array<boolean>(other.length + 1).fill(false);
  row[other.length] = true;
  for (let j = other.length - 1; j >= 0 && other[j] === '*'; j -= 1) row[j] = true;
  return row;
}
