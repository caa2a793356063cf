/** A text, or several of the same name. */
export type GroupedValue = string | readonly string[];

/** Pairs by name, sorted: one value stands alone, several of one name become a list. The object has no prototype, as names are users' text. */
export function groupValues(pairs: Iterable<readonly [string, string]>): Readonly<Record<string, GroupedValue>> {
  const byName = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = byName.get(name);
    if (values === undefined) byName.set(name, [value]);
    else values.push(value);
  }
  const grouped: Record<string, GroupedValue> = Object.create(null);
  for (const [name, values] of [...byName].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const [first = '', ...others] = values;
    grouped[name] = others.length === 0 ? first : values;
  }
  return grouped;
}
