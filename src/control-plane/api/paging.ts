import { PortcullisError } from '../../errors/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import { formatIssues, isJsonObject } from '../../schema/index.ts';
import type { ApiAnswer } from '../http/index.ts';
import { type LabelFilter, labelFilterOf } from './label-filter.ts';
import { readListQuery } from './list-query.ts';

/** How a list that is at hand as a whole is searched, ordered and shown. */
export interface ListedItems<Item> {
  readonly present: (item: Item) => JsonValue;
  /** What `search` looks into. */
  readonly texts: (item: Item) => readonly string[];
  readonly labels: (item: Item) => JsonValue | undefined;
  /** Unix seconds. */
  readonly createdAt: (item: Item) => number;
  readonly updatedAt: (item: Item) => number;
}

/**
 * The answer of a list of few items, which are handed over in the order of their creation: everything unless a page is asked for. `total`
 * counts all.
 *
 * @throws PortcullisError 400 when a parameter is no good
 */
export function listAnswer<Item>(items: readonly Item[], query: URLSearchParams, listed: ListedItems<Item>): ApiAnswer {
  const { search = '', order, direction, part } = readListQuery(query, { isSortedByName: false });
  if (part?.kind === 'after') {
    throw new PortcullisError('admin_invalid', {
      publicMessage: formatIssues([{ pointer: '/after', message: 'this list has no cursors' }]),
    });
  }
  const wanted = search.toLowerCase();
  const labels = labelFilterOf(query);
  const found = items.filter(
    (item) => hasLabels(listed.labels(item), labels) && listed.texts(item).some((text) => text.toLowerCase().includes(wanted)),
  );
  const time = order === 'created' ? listed.createdAt : listed.updatedAt;
  found.sort((a, b) => time(a) - time(b));
  if (direction === 'descending') found.reverse();
  const shown = part === undefined ? found : found.slice(part.offset, part.offset + part.limit);
  return { body: { list: shown.map(listed.present), total: found.length } };
}

function hasLabels(labels: JsonValue | undefined, filter: LabelFilter | undefined): boolean {
  if (filter === undefined) return false;
  const own = new Map(isJsonObject(labels) ? Object.entries(labels) : []);
  return [...filter.labels].every(([name, value]) => own.get(name) === value) && filter.labelNames.every((name) => own.has(name));
}
