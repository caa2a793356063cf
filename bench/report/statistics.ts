/** The middle value, the mean of the middle two, or NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The mean of the lowest third of the values, rounded up to a whole number of them; NaN of nothing. */
export function meanOfLowestThird(values: readonly number[]): number {
  const lowest = [...values].sort((one, other) => one - other).slice(0, Math.ceil(values.length / 3));
  return lowest.reduce((sum, value) => sum + value, 0) / lowest.length;
}
