import type { Summary } from './summary.ts';

const ALONE = 'beside-nothing';
const DISTURBED = 'beside-hanging';

/** How much later a healthy service answers while another one hangs, for each peer that was measured both ways; or nothing. */
export function formatHanging(summaries: readonly Summary[]): string | undefined {
  const parts = summaries.flatMap((disturbed) => {
    const alone = summaries.find((one) => one.row === ALONE && one.peer === disturbed.peer);
    if (disturbed.row !== DISTURBED || alone === undefined) return [];
    return [`${disturbed.peer} ${(disturbed.p99Us / alone.p99Us).toFixed(2)}`];
  });
  return parts.length === 0 ? undefined : `\np99 of the healthy service, beside the hanging one / alone: ${parts.join(', ')}`;
}
