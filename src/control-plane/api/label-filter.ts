import { PortcullisError } from '../../errors/index.ts';
import { formatIssues } from '../../schema/index.ts';
import type { ResourceSelection } from '../../store/index.ts';

const LABEL = /^labels\[(.+)\]$/s;
/** Each costs a comparison with every entry. */
const MOST_LABELS = 32;

/** Which labels a list is asked for; all must be there. */
export type LabelFilter = Required<Pick<ResourceSelection, 'labels' | 'labelNames'>>;

/** Every resource passes. */
export const NO_LABELS: LabelFilter = { labels: new Map(), labelNames: [] };

/**
 * The labels of a query: `labels[team]=a` wants this value, `label=team` (as in APISIX) any. Undefined when two contradict each other:
 * nothing matches.
 *
 * @throws PortcullisError 400 for a parameter that only looks like a label, and for too many
 */
export function labelFilterOf(query: URLSearchParams): LabelFilter | undefined {
  const labels = new Map<string, string>();
  let isContradiction = false;
  for (const [name, value] of query) {
    if (!name.startsWith('labels')) continue;
    const label = LABEL.exec(name)?.[1];
    if (label === undefined) {
      if (name === 'labels' || name.startsWith('labels[')) throw refused('/labels', 'write a label as labels[key]=value');
      continue;
    }
    if (labels.has(label) && labels.get(label) !== value) isContradiction = true;
    labels.set(label, value);
  }
  const labelNames = [...new Set(query.getAll('label'))];
  if (labelNames.includes('')) throw refused('/label', 'minimum string length is 1');
  if (labels.size + labelNames.length > MOST_LABELS) throw refused('/labels', `there must be at most ${MOST_LABELS} labels`);
  return isContradiction ? undefined : { labels, labelNames };
}

function refused(pointer: string, message: string): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage: formatIssues([{ pointer, message }]) });
}
