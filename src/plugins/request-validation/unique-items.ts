/**
 * The positions (from 0) of two items that are equal, or undefined where there are none. Takes time in proportion to the size of the
 * items, where comparing each with each other one would let a client hold up a worker.
 */
export function equalItems(items: readonly unknown[]): readonly [number, number] | undefined {
  const seen = new Map<string, number>();
  for (const [position, item] of items.entries()) {
    const text = canonicalText(item);
    const before = seen.get(text);
    if (before !== undefined) return [before, position];
    seen.set(text, position);
  }
  return undefined;
}

/** JSON text that is the same for values that JSON Schema calls equal: members of objects in the order of their names. */
function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`);
  return `{${members.sort().join(',')}}`;
}
