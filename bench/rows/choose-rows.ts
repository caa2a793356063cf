import type { BenchOptions } from '../options.ts';
import type { Row } from './row.ts';
import { allRows } from './rows.ts';

/** The rows that the options name, or all. @throws RangeError for a name that there is not */
export function chooseRows({ only, keys }: Pick<BenchOptions, 'only' | 'keys'>): readonly Row[] {
  const all = allRows(keys);
  requireKnown('row', only, all);
  return all.filter(({ name }) => only?.includes(name) ?? true);
}

/** @throws RangeError for the first name that nothing has */
export function requireKnown(what: string, names: readonly string[] | undefined, all: readonly { readonly name: string }[]): void {
  for (const name of names ?? []) if (!all.some((one) => one.name === name)) throw new RangeError(`there is no ${what} called ${name}`);
}
