import { PortcullisError } from '../../errors/index.ts';

/** `true` or `false` in a query; false when it is not there. @throws PortcullisError 400 that names it */
export function flagParameter(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  throw new PortcullisError('admin_invalid', { publicMessage: `the query parameter ${name} must be true or false` });
}
