import type { JsonObject, JsonValue } from '../../plugin-kit/index.ts';

/** A claim that says when a token is valid (RFC 7519 §4.1.4 and §4.1.5). */
export type TimeClaim = 'exp' | 'nbf';

const TIME_CLAIMS: readonly TimeClaim[] = ['nbf', 'exp'];

export interface ClaimRules {
  /** These must be there and hold, and no others are looked at; none: those that are there must hold. */
  readonly claimsToVerify: readonly TimeClaim[];
  readonly gracePeriodS: number;
  /** Seconds since 1970. */
  readonly nowS: number;
}

/** Why a payload is not valid now, for the log; undefined when it is. As in APISIX, `nbf` must have passed by more than nothing. */
export function findClaimProblem(payload: JsonObject, rules: ClaimRules): string | undefined {
  const listed = rules.claimsToVerify.length > 0;
  for (const name of listed ? rules.claimsToVerify : TIME_CLAIMS) {
    const value = Object.hasOwn(payload, name) ? payload[name] : undefined;
    const problem = value === undefined ? (listed ? `claim ${name} is missing` : undefined) : problemOf(name, value, rules);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Unix milliseconds from which on a payload that is valid is no more so by `exp`; Infinity where that is not looked at, or not there. */
export function expiryMs(payload: JsonObject, { claimsToVerify, gracePeriodS }: Omit<ClaimRules, 'nowS'>): number {
  const isChecked = claimsToVerify.length === 0 || claimsToVerify.includes('exp');
  const value = isChecked && Object.hasOwn(payload, 'exp') ? payload.exp : undefined;
  return typeof value === 'number' ? (value + gracePeriodS) * 1000 : Number.POSITIVE_INFINITY;
}

function problemOf(name: TimeClaim, value: JsonValue, { gracePeriodS, nowS }: ClaimRules): string | undefined {
  // JSON.parse reads 1e999 as infinity.
  if (typeof value !== 'number' || !Number.isFinite(value)) return `claim ${name} is not a number`;
  switch (name) {
    case 'exp':
      return value > nowS - gracePeriodS ? undefined : 'claim exp has passed';
    case 'nbf':
      return value < nowS + gracePeriodS ? undefined : 'claim nbf lies ahead';
  }
}
