import { PortcullisError } from '../../errors/index.ts';
import { formatIssues, type Issue } from '../../schema/index.ts';
import type { ListOrder, ListPart, ResourceSelection } from '../../store/index.ts';

/** What a list was asked for, besides what is in it. */
export interface ListQuery extends Pick<ResourceSelection, 'order' | 'direction'> {
  readonly search: string | undefined;
  /** Undefined: everything. */
  readonly part: ListPart | undefined;
}

const ORDERS: ReadonlyMap<string, ListOrder> = new Map([
  ['created_at', 'created'],
  ['updated_at', 'updated'],
  ['name', 'name'],
]);
const DIRECTIONS: ReadonlyMap<string, ListQuery['direction']> = new Map([
  ['asc', 'ascending'],
  ['desc', 'descending'],
]);
const DEFAULT_PAGE_SIZE = 10;
const LARGEST_NUMBER = 999_999_999;

/**
 * Reads `page`, `page_size`, `after`, `order_by`, `direction` and `search`. Without the first three a list is wanted whole: clients read one
 * answer and take it for all (ADC).
 *
 * @throws PortcullisError 400 that names each fault
 */
export function readListQuery(query: URLSearchParams, options: { readonly isSortedByName: boolean }): ListQuery {
  const issues: Issue[] = [];
  const single = (name: string): string | undefined => {
    if (query.getAll(name).length > 1) issues.push({ pointer: `/${name}`, message: 'the query parameter is repeated' });
    return query.get(name) ?? undefined;
  };
  const page = wholeNumber('page', single('page'), issues);
  const pageSize = wholeNumber('page_size', single('page_size'), issues);
  const after = single('after');
  if (after !== undefined && page !== undefined) issues.push({ pointer: '/after', message: 'value and page exclude each other' });
  const orders = new Map([...ORDERS].filter(([name]) => name !== 'name' || options.isSortedByName));
  const order = oneOf('order_by', single('order_by'), orders, issues) ?? 'updated';
  const direction = oneOf('direction', single('direction'), DIRECTIONS, issues) ?? 'descending';
  const search = single('search');
  if (issues.length > 0) throw new PortcullisError('admin_invalid', { publicMessage: formatIssues(issues) });
  return { order, direction, search: search === '' ? undefined : search, part: partOf(page, pageSize, after) };
}

function partOf(page: number | undefined, pageSize: number | undefined, after: string | undefined): ListPart | undefined {
  const limit = pageSize ?? DEFAULT_PAGE_SIZE;
  if (after !== undefined) return { kind: 'after', cursor: after, limit };
  if (page === undefined && pageSize === undefined) return undefined;
  return { kind: 'page', offset: ((page ?? 1) - 1) * limit, limit };
}

function wholeNumber(name: string, text: string | undefined, issues: Issue[]): number | undefined {
  if (text === undefined) return undefined;
  const pointer = `/${name}`;
  if (!/^-?[0-9]+$/.test(text)) issues.push({ pointer, message: 'value must be an integer' });
  else if (Number(text) < 1) issues.push({ pointer, message: 'number must be at least 1' });
  else if (Number(text) > LARGEST_NUMBER) issues.push({ pointer, message: `number must be at most ${LARGEST_NUMBER}` });
  return Number(text);
}

function oneOf<Value>(name: string, text: string | undefined, allowed: ReadonlyMap<string, Value>, issues: Issue[]): Value | undefined {
  const value = text === undefined ? undefined : allowed.get(text);
  if (text !== undefined && value === undefined) {
    issues.push({ pointer: `/${name}`, message: `value is not one of the allowed values ${JSON.stringify([...allowed.keys()])}` });
  }
  return value;
}
