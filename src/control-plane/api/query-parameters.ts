import { PortcullisError } from '../../errors/index.ts';

/** A whole number from `least` to `most` in a query; undefined when it is not there. @throws PortcullisError 400 that names it */
export function numberParameter(
  query: URLSearchParams,
  name: string,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new PortcullisError('admin_invalid', {
    publicMessage: `the query parameter ${name} must be a whole number from ${least} to ${most}`,
  });
}
