const LABEL = /^labels\[(.+)\]$/s;

/** The labels that a list is asked for, `labels[team]=a`; all of them must be equal. Undefined when two contradict each other: nothing matches. */
export function labelFilterOf(query: URLSearchParams): ReadonlyMap<string, string> | undefined {
  const labels = new Map<string, string>();
  for (const [name, value] of query) {
    const label = LABEL.exec(name)?.[1];
    if (label === undefined) continue;
    if (labels.has(label) && labels.get(label) !== value) return undefined;
    labels.set(label, value);
  }
  return labels;
}
