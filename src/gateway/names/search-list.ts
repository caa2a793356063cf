/** What of resolv.conf(5) decides which names are asked for. */
export interface SearchSettings {
  readonly search: readonly string[];
  readonly ndots: number;
}

/** Limits of glibc: more domains and a higher `ndots` are ignored or cut. */
const MOST_DOMAINS = 32;
const HIGHEST_NDOTS = 15;

/** Reads `search` (or `domain`; the last one counts) and `options ndots:`. */
export function parseSearchSettings(text: string): SearchSettings {
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'search') search = words.slice(0, MOST_DOMAINS);
    if (keyword === 'domain') search = words.slice(0, 1);
    const option = keyword === 'options' ? words.findLast((word) => /^ndots:\d+$/.test(word)) : undefined;
    if (option !== undefined) ndots = Math.min(HIGHEST_NDOTS, Number(option.slice('ndots:'.length)));
  }
  return { search: search.map(withoutFinalDot).filter((domain) => domain !== ''), ndots };
}

/**
 * The names to ask for, in order, as resolv.conf(5) says: a name with fewer dots than `ndots` is tried under each search domain
 * first, any other as it is first; one that ends in a dot only as it is.
 */
export function namesToAsk(name: string, settings: SearchSettings): readonly string[] {
  if (name.endsWith('.')) return [withoutFinalDot(name)];
  const searched = settings.search.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 < settings.ndots ? [...searched, name] : [name, ...searched];
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
