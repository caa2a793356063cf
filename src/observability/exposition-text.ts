/** What Prometheus knows of metrics. */
export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** A metric with everything that tells it from others. */
export interface MetricShape {
  readonly kind: MetricKind;
  /** As it stands in the text. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds without infinity; empty for what is no histogram. */
  readonly buckets: readonly number[];
}

/** The type of the text: Prometheus, "Exposition formats", version 0.0.4. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The two lines before the samples of a metric. */
export function headOf({ name, help, kind }: MetricShape): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
}

/** Labels as they stand between the braces. Values may be any text. */
export function labelsText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapeValue(values[index] ?? '')}"`).join(',');
}

/** One line: `labels` as `labelsText` made them, and perhaps one more in the same form. */
export function sampleLine(name: string, labels: string, value: number, oneMore = ''): string {
  const all = labels === '' || oneMore === '' ? `${labels}${oneMore}` : `${labels},${oneMore}`;
  return all === '' ? `${name} ${numberText(value)}\n` : `${name}{${all}} ${numberText(value)}\n`;
}

/** The lines of one histogram. `counts` has one more than there are buckets: what lies beyond them all. */
export function histogramLines({ name, buckets }: MetricShape, labels: string, counts: readonly number[], sum: number): string {
  let text = '';
  let below = 0;
  for (const [index, bound] of buckets.entries()) {
    below += counts[index] ?? 0;
    text += sampleLine(`${name}_bucket`, labels, below, `le="${numberText(bound)}"`);
  }
  // Count and last bucket are the same number by definition, also for an observation that is just being written.
  const all = below + (counts[buckets.length] ?? 0);
  text += sampleLine(`${name}_bucket`, labels, all, 'le="+Inf"');
  return `${text}${sampleLine(`${name}_sum`, labels, sum)}${sampleLine(`${name}_count`, labels, all)}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}

const IN_VALUES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\0': '\uFFFD' };

function escapeValue(value: string): string {
  // Some readers take NUL for the end.
  return value.replace(/[\\"\n\0]/g, (character) => IN_VALUES[character] ?? character);
}

function escapeHelp(help: string): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
