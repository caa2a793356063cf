export { type AgeLimit, Freshness, type FreshnessState } from './freshness.ts';
export { registerFreshnessGauges } from './freshness-gauges.ts';
