/** How a delay grows from one failure in a row to the next. */
export interface BackoffSteps {
  readonly firstDelayMs: number;
  readonly highestDelayMs: number;
}

/** The delay before attempt `failures + 1`: nothing after the first failure, then doubling up to the highest. */
export function backoffDelayMs(failures: number, steps: BackoffSteps): number {
  if (failures <= 1) return 0;
  return Math.min(steps.highestDelayMs, steps.firstDelayMs * 2 ** (failures - 2));
}
