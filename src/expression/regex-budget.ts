/** What a pattern costs beside its characters: both in units of about 8 µs, which is what the slower engine takes. */
const COST_OF_PATTERN = 80;
/** Most of a second of a thread that serves everybody meanwhile. */
const MAX_COST = 100_000;

export const REGEX_BUDGET_EXCEEDED = `the regular expressions take too long to compile: their characters, and ${COST_OF_PATTERN} for each, may be ${MAX_COST} in all`;

let left = Number.POSITIVE_INFINITY;

/**
 * Runs `work`, in which only so many regular expressions are compiled as a gateway can bear to compile at once; `compileRegex` calls all
 * others invalid. What runs inside of another such call shares its budget.
 */
export function withRegexBudget<Result>(work: () => Result): Result {
  if (left !== Number.POSITIVE_INFINITY) return work();
  left = MAX_COST;
  try {
    return work();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}

/** Whether a pattern of this length may still be compiled. */
export function spendOnRegex(characters: number): boolean {
  left -= characters + COST_OF_PATTERN;
  return left >= 0;
}
