import { spawnSync } from 'node:child_process';

/** What `npm run check` runs, in this order; all of them run even when one fails. */
const CHECKS: readonly (readonly [title: string, command: string, ...words: string[]])[] = [
  ['types', 'tsc', '--noEmit'],
  ['lint and format', 'biome', 'check', '--error-on-warnings'],
  ['import direction', 'node', '--test', 'src/architecture.test.ts'],
  ['dead code', 'knip'],
];

let failed = 0;
for (const [title, command, ...words] of CHECKS) {
  process.stdout.write(`\n== ${title}\n`);
  const { status } = spawnSync(command, words, { stdio: 'inherit' });
  if (status !== 0) failed += 1;
}
process.stdout.write(failed === 0 ? '\nAll checks passed.\n' : `\n${failed} of ${CHECKS.length} checks failed.\n`);
process.exitCode = failed === 0 ? 0 : 1;
