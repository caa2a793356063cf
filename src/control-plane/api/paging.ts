import { PortcullisError } from '../../errors/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { ApiAnswer } from '../http/index.ts';

const DEFAULT_PAGE_SIZE = 10;

/**
 * The answer of a list: everything when neither `page` nor `page_size` is given (clients read one answer and take it for all), one
 * page otherwise. `total` counts all in both cases.
 *
 * @throws PortcullisError 400 when a parameter is not a whole number from 1
 */
export function listAnswer<Item>(items: readonly Item[], query: URLSearchParams, present: (item: Item) => JsonValue): ApiAnswer {
  const page = positiveInteger(query, 'page');
  const pageSize = positiveInteger(query, 'page_size');
  const size = pageSize ?? (page === undefined ? items.length : DEFAULT_PAGE_SIZE);
  const start = ((page ?? 1) - 1) * size;
  return { body: { list: items.slice(start, start + size).map(present), total: items.length } };
}

function positiveInteger(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new PortcullisError('admin_invalid', { publicMessage: `the query parameter ${name} must be a whole number from 1` });
  }
  return Number(text);
}
