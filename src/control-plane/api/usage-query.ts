import { PortcullisError } from '../../errors/index.ts';
import { USAGE_DIMENSIONS, USAGE_SPANS, type UsageDimension, type UsageQuery, type UsageSpan } from '../../store/index.ts';
import { numberParameter } from './query-parameters.ts';

/** Sums that an answer holds at most. */
export const SUMS_OF_ANSWER = 1000;
/** What is looked at when a query does not say from when on, in hours or days. */
const USUAL_SPANS: Readonly<Record<UsageSpan, number>> = { hour: 24, day: 30 };
const SECONDS = { least: 0, most: 999_999_999_999 };

/** What a query asks for, but of whom. One sum more than an answer holds, so that it is seen whether there are more. */
export type AskedUsage = Omit<UsageQuery, 'groupId' | 'equals'>;

/** @throws PortcullisError 400 that names the parameter */
export function readUsageQuery(query: URLSearchParams, nowSeconds: number): AskedUsage {
  const span = spanOf(query.get('by') ?? 'hour');
  const seconds = USAGE_SPANS[span];
  const until = numberParameter(query, 'until', SECONDS) ?? nowSeconds + 1;
  const from = numberParameter(query, 'from', SECONDS) ?? Math.max(0, until - USUAL_SPANS[span] * seconds);
  return { span, from: from - (from % seconds), until, splitBy: splitOf(query.get('split') ?? ''), limit: SUMS_OF_ANSWER + 1 };
}

function spanOf(text: string): UsageSpan {
  if (text === 'hour' || text === 'day') return text;
  throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter by must be hour or day' });
}

function splitOf(text: string): readonly UsageDimension[] {
  const names = text === '' ? [] : text.split(',');
  return names.map((name) => {
    const dimension = USAGE_DIMENSIONS.find((known) => known === name);
    if (dimension !== undefined) return dimension;
    const known = USAGE_DIMENSIONS.join(', ');
    throw new PortcullisError('admin_invalid', { publicMessage: `the query parameter split may name ${known}, with commas in between` });
  });
}
