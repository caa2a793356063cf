/** Rounds for each of at most `copies` processes, as equal as they can be; none of them has nothing to do. */
export function splitRounds(rounds: number, copies: number): readonly number[] {
  const count = Math.min(rounds, copies);
  return Array.from({ length: count }, (_, index) => Math.floor(rounds / count) + (index < rounds % count ? 1 : 0));
}
