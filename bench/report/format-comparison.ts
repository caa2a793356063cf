import type { Row } from '../rows/row.ts';
import type { Summary } from './summary.ts';

/** One line a row: what B costs against A. Below 1 it is cheaper. */
export function formatComparison(rows: readonly Row[], summaries: readonly Summary[]): string {
  const lines = rows.flatMap((row) => {
    const find = (peer: string): Summary | undefined => summaries.find((one) => one.row === row.name && one.peer === peer);
    const [a, b, nginx] = [find('A'), find('B'), find('nginx')];
    if (a === undefined || b?.ratio === undefined) return [];
    const range = `(${b.ratio.lowest.toFixed(2)}-${b.ratio.highest.toFixed(2)})`;
    const cells = [
      a.cpuUs.toFixed(1),
      b.cpuUs.toFixed(1),
      nginx?.cpuUs.toFixed(1) ?? '-',
      b.ratio.median.toFixed(2),
      range,
      b.quietRatio?.toFixed(2) ?? '-',
    ];
    const isInvalid = [a, b].some(({ faults }) => faults.length > 0);
    return [`  ${row.name.padEnd(18)}${cells.map((cell) => cell.padStart(14)).join('')}${isInvalid ? '  INVALID' : ''}`];
  });
  const head = `  ${''.padEnd(18)}${['A µs/req', 'B µs/req', 'nginx µs/req', 'B / A', '(range)', 'quiet'].map((cell) => cell.padStart(14)).join('')}`;
  return [head, ...lines].join('\n');
}
