import type { Row } from '../rows/row.ts';
import type { Summary } from './summary.ts';

const WIDTHS = [14, 8, 8, 8, 8, 8, 14, 8, 9, 9, 9, 8];

/** A row as text for a terminal. */
export function formatRow(row: Row, summaries: readonly Summary[], baseline: string): string {
  const { setup } = row;
  const details = [
    `${setup.keys.toLocaleString('en')} keys`,
    `${row.connections.toLocaleString('en')} connections`,
    `${setup.workers} worker${setup.workers > 1 ? 's' : ''}`,
    setup.accessLog ? 'access log' : 'no access log',
  ];
  const head = line(['', 'µs/req', 'user', 'sys', 'other', `x ${baseline}`, '(range)', 'quiet', 'req/s', 'p50 ms', 'p99 ms', 'MB']);
  return [`\n${row.name}: ${row.title} (${details.join(', ')})`, head, ...summaries.flatMap(formatSummary)].join('\n');
}

function formatSummary(summary: Summary): readonly string[] {
  const { ratio } = summary;
  const cells = [
    summary.peer,
    summary.cpuUs.toFixed(1),
    summary.userUs.toFixed(1),
    summary.systemUs.toFixed(1),
    summary.otherUs.toFixed(1),
    ratio === undefined ? '-' : ratio.median.toFixed(2),
    ratio === undefined ? '' : `(${ratio.lowest.toFixed(2)}-${ratio.highest.toFixed(2)})`,
    summary.quietRatio?.toFixed(2) ?? '-',
    summary.requestsPerSecond.toFixed(0),
    (summary.p50Us / 1000).toFixed(2),
    (summary.p99Us / 1000).toFixed(2),
    ((summary.pssBytes ?? summary.rssBytes) / 2 ** 20).toFixed(0),
  ];
  const faults = summary.faults.map((fault) => `    INVALID ${summary.peer} ${fault}`);
  return [line(cells), ...faults];
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, index) => (index === 0 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0)));
  return `  ${padded.join(' ')}`;
}
