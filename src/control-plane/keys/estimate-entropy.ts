/** Below this many bits a key gets a warning: who reads a gateway's memory could guess it from its digest. */
export const WEAK_KEY_BITS = 80;

interface CharacterClass {
  readonly pattern: RegExp;
  readonly size: number;
}

const CLASSES: readonly CharacterClass[] = [
  { pattern: /\p{Ll}/u, size: 26 },
  { pattern: /\p{Lu}/u, size: 26 },
  { pattern: /[0-9]/, size: 10 },
  { pattern: /[^\p{Ll}\p{Lu}0-9]/u, size: 32 },
];

/** At least this share of neighbours from different classes looks like chance, and not like words. */
const MIXED_SHARE = 0.25;
/** Letters, and single separators between them. */
const WORDS = /^\p{L}{2,}([^\p{L}0-9]\p{L}{2,})+$/u;
/** What is left of the letters' entropy where they form words. */
const WORD_FACTOR = 0.6;

/**
 * A guess at how many bits of chance a key holds: an upper bound for what looks random, less for what looks like words,
 * repetitions and sequences. It errs towards a warning; nothing is ever refused because of it.
 */
export function estimateEntropyBits(key: string): number {
  const characters = [...key];
  const fresh = countFresh(characters);
  return Math.min(fresh, characters.length) * bitsPerCharacter(key, characters);
}

/** Characters that neither go on with a sequence (`aaa`, `abc`, `321`) nor end three characters that were there before. */
function countFresh(characters: readonly string[]): number {
  const seen = new Set<string>();
  let fresh = 0;
  characters.forEach((character, index) => {
    const [before = '', previous = ''] = [characters[index - 2], characters[index - 1]];
    const triple = before + previous + character;
    if (index < 2 || !(seen.has(triple) || isSequence(before, previous, character))) fresh += 1;
    if (index >= 2) seen.add(triple);
  });
  return fresh;
}

function isSequence(first: string, second: string, third: string): boolean {
  const step = codeOf(second) - codeOf(first);
  return Math.abs(step) <= 1 && codeOf(third) - codeOf(second) === step;
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function bitsPerCharacter(key: string, characters: readonly string[]): number {
  // Also UUIDs: their hyphens tell nothing.
  if (/^[0-9a-f-]+$|^[0-9A-F-]+$/.test(key)) return (4 * characters.filter((character) => character !== '-').length) / characters.length;
  const classes = characters.map((character) => CLASSES.findIndex(({ pattern }) => pattern.test(character)));
  const size = CLASSES.filter((_class, index) => classes.includes(index)).reduce((sum, { size }) => sum + size, 0);
  const observed = Math.min(Math.log2(size), observedBits(characters));
  if (WORDS.test(key)) return observed * WORD_FACTOR;
  const changes = classes.filter((value, index) => index > 0 && value !== classes[index - 1]).length;
  return changes > 0 && changes >= MIXED_SHARE * (characters.length - 1) ? Math.log2(size) : observed;
}

/** Shannon's entropy of the characters' frequencies, with the correction of Miller and Madow for short texts. */
function observedBits(characters: readonly string[]): number {
  const counts = Map.groupBy(characters, (character) => character);
  const shares = [...counts.values()].map((same) => same.length / characters.length);
  const bits = shares.reduce((sum, share) => sum - share * Math.log2(share), 0);
  return bits + (counts.size - 1) / (2 * characters.length * Math.LN2);
}
