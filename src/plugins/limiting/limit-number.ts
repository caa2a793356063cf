import { compileTemplate } from '../../expression/index.ts';
import type { ConnectionView } from '../../plugin-kit/index.ts';

/** A number of a limit, for one request; undefined where a template gives none that is allowed. */
export type LimitNumber = (request: ConnectionView) => number | undefined;

const DIGITS = /^\d{1,16}$/;

/** A number as it is, or a template that must give a whole one from `minimum` to 2^53 - 1 (APISIX, limit-*). */
export function compileLimitNumber(value: number | string, minimum: 0 | 1): LimitNumber {
  if (typeof value === 'number') return () => value;
  const template = compileTemplate(value);
  return (request) => {
    const { text } = template.expand(request);
    if (!DIGITS.test(text)) return undefined;
    const number = Number(text);
    return number >= minimum && Number.isSafeInteger(number) ? number : undefined;
  };
}
