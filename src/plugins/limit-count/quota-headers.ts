import type { RequestView } from '../../plugin-kit/index.ts';

/** The names of the three headers that tell a client where it stands. */
export interface QuotaHeaders {
  readonly limit: string;
  readonly remaining: string;
  readonly reset: string;
}

const INFIX = 'RateLimit-';

/**
 * The names for one of several rules: its prefix before `RateLimit-`, e.g. `X-1-RateLimit-Limit` (APISIX, limit-count), and before the
 * whole name where that has no `RateLimit-`.
 */
export function prefixedHeaders({ limit, remaining, reset }: QuotaHeaders, prefix: string): QuotaHeaders {
  const prefixed = (name: string): string => (name.includes(INFIX) ? name.replace(INFIX, () => `${prefix}-${INFIX}`) : `${prefix}-${name}`);
  return { limit: prefixed(limit), remaining: prefixed(remaining), reset: prefixed(reset) };
}

/** Puts them into whatever answer the client gets. */
export function tellQuota(request: RequestView, names: QuotaHeaders, limit: number, remaining: number, resetS: number): void {
  request.setResponseHeader(names.limit, String(limit));
  request.setResponseHeader(names.remaining, String(remaining));
  request.setResponseHeader(names.reset, secondsText(resetS));
}

/** As `String` would write it; numbers with fractions cost it ten times as much as integers. */
function secondsText(resetS: number): string {
  const hundredths = Math.round(resetS * 100);
  const rest = hundredths % 100;
  const whole = (hundredths - rest) / 100;
  if (rest === 0) return String(whole);
  if (rest % 10 === 0) return `${whole}.${rest / 10}`;
  return rest < 10 ? `${whole}.0${rest}` : `${whole}.${rest}`;
}

/** Seconds with two decimals at most, never too early. */
export function resetSeconds(resetMs: number): number {
  return Math.ceil(resetMs / 10) / 100;
}
