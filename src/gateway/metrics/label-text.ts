/** Longer label values are cut: they are names of routes and the like, and each takes memory for as long as the process lives. */
const MAX_LABEL_LENGTH = 1024;

const SEPARATOR = '\0';
const ENTRY_MARK = 's';

/** Label values joined, as a key under which their series is found again. No value in `cleanValues` form holds the separator. */
export function joinLabels(values: readonly string[]): string {
  return values.join(SEPARATOR);
}

/** Values as they are kept: of bounded length, and without NUL, which ends a text for some readers of metrics. */
export function cleanValues(values: readonly string[]): readonly string[] {
  return values.map((value) => value.slice(0, MAX_LABEL_LENGTH).replaceAll(SEPARATOR, '\uFFFD'));
}

/** The text under which all threads find a series: its metric, then its labels, joined. */
export function seriesText(metric: number, joined: string): string {
  return `${ENTRY_MARK}${metric}${SEPARATOR}${joined}`;
}

/** What `seriesText` made; undefined for a text that is no series. */
export function readSeriesText(text: string): { readonly metric: number; readonly values: readonly string[] } | undefined {
  if (!text.startsWith(ENTRY_MARK)) return undefined;
  const [metric = '', ...values] = text.slice(ENTRY_MARK.length).split(SEPARATOR);
  return { metric: Number(metric), values };
}
