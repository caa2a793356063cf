import { PortcullisError } from '../../errors/index.ts';
import type { ApiRequest, ApiRoute } from './api-route.ts';

/** How a request says that nothing is to be stored, with the values that each may have: ours, and API7's. */
const SPELLINGS: ReadonlyMap<string, { readonly yes: string; readonly no?: string }> = new Map([
  ['dry_run', { yes: 'true', no: 'false' }],
  ['dry-run', { yes: 'all' }],
]);

/** Whether a change is only to be tried: `dry_run=true`, or `dry-run=all` as in API7. @throws PortcullisError 400 for any other value */
export function isTrial(query: URLSearchParams): boolean {
  let isTried = false;
  for (const [name, { yes, no }] of SPELLINGS) {
    for (const value of query.getAll(name)) {
      if (value === yes) isTried = true;
      else if (value !== no) throw refused(`the query parameter ${name} must be ${no === undefined ? yes : `${yes} or ${no}`}`);
    }
  }
  return isTried;
}

/** Whoever asks for a trial must never get the real thing. @throws PortcullisError 400 where the operation knows no trials */
export function refuseTrial({ method, canBeTried }: Pick<ApiRoute, 'method' | 'canBeTried'>, { query }: Pick<ApiRequest, 'query'>): void {
  if (method === 'GET' || canBeTried === true || !isTrial(query)) return;
  throw refused('this operation cannot be tried: it knows no dry_run');
}

function refused(publicMessage: string): PortcullisError {
  return new PortcullisError('admin_invalid', { publicMessage });
}
