import type { MetricKind, MetricShape } from '../../observability/index.ts';
import type { MetricDefinition } from '../../plugin-kit/index.ts';

export type { MetricKind, MetricShape };

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MAX_NAME_LENGTH = 200;
const MAX_LABELS = 32;
const MAX_BUCKETS = 100;
/** Names that dashboards know are kept: APISIX's, and those that all clients of Prometheus have for a process. Everything else is ours. */
const KEPT_PREFIX = /^(?:apisix|process)_/;
const OWN_PREFIX = 'portcullis_';

/**
 * A metric as it is exported: `portcullis_` stands before every name that does not begin with `apisix_` or `process_`.
 *
 * @throws TypeError for names, labels or buckets that Prometheus does not take (its data model, "Metric names and labels")
 */
export function metricShape(kind: MetricKind, definition: MetricDefinition, buckets: readonly number[] = []): MetricShape {
  const name = KEPT_PREFIX.test(definition.name) ? definition.name : `${OWN_PREFIX}${definition.name}`;
  const shape: MetricShape = { kind, name, help: definition.help, labels: [...definition.labels], buckets: [...buckets] };
  checkShape(shape);
  return shape;
}

function checkShape({ kind, name, labels, buckets }: MetricShape): void {
  if (!METRIC_NAME.test(name) || name.length > MAX_NAME_LENGTH) throw new TypeError(`${name} is no name of a metric`);
  const good = labels.every((label) => LABEL_NAME.test(label) && !label.startsWith('__') && !(kind === 'histogram' && label === 'le'));
  if (!good || labels.length > MAX_LABELS || new Set(labels).size !== labels.length)
    throw new TypeError(`${name} has labels that cannot be`);
  const ascending = buckets.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > (buckets[index - 1] ?? bound)));
  const right = kind === 'histogram' ? buckets.length > 0 && buckets.length <= MAX_BUCKETS : buckets.length === 0;
  if (!right || !ascending) throw new TypeError(`${name} has buckets that cannot be`);
}

/** Numbers that one series takes: a histogram has one for each bucket, one for what lies beyond them, and the sum. */
export function cellsOfSeries(shape: MetricShape): number {
  return shape.kind === 'histogram' ? shape.buckets.length + 2 : 1;
}

/** How `textOfShape` begins, in which no other text of the table does. */
export const SHAPE_MARK = '[';

/** The shape as text: equal for equal shapes. */
export function textOfShape({ kind, name, help, labels, buckets }: MetricShape): string {
  return JSON.stringify([kind, name, help, labels, buckets]);
}

/** The shape that `textOfShape` made the text of. */
export function shapeOfText(text: string): MetricShape {
  // The parsing border: a thread of this process has written it.
  const [kind, name, help, labels, buckets] = JSON.parse(text) as [MetricKind, string, string, string[], number[]];
  return { kind, name, help, labels, buckets };
}
