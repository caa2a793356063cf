export { counterPrefix } from './counter-prefix.ts';
export { counterServerOf } from './counter-server-of.ts';
export { delayFor } from './delay-for.ts';
export { LIMIT_FAILED, rejectionOf } from './limit-answers.ts';
export { compileLimitKey, compileRuleKey } from './limit-key.ts';
export { compileLimitNumber, type LimitNumber } from './limit-number.ts';
