import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../report/machine.ts';
import { Session } from '../session/session.ts';
import { measureLive } from './measure-live.ts';
import { measureLookups } from './measure-lookups.ts';

// Run as: run.ts [number of routes ...]
const COUNTS = [10, 1_000, 100_000];
const CHANGED_COUNTS = [10_000, 100_000];
const LIVE_COUNT = 10_000;
const CHANGES_PROGRAM = fileURLToPath(new URL('./measure-changes-process.ts', import.meta.url));

const words = process.argv.slice(2).map(Number);
if (words.some((count) => !Number.isInteger(count) || count < 10)) throw new RangeError('say how many routes, each at least 10');
const { processor, cores, loadAverage } = describeMachine();
console.log(`${processor}, ${cores} cores, load ${loadAverage.map((load) => load.toFixed(1)).join(' ')}, Node.js ${process.version}`);
for (const count of words.length === 0 ? COUNTS : words) await measureLookups(count);
for (const count of words.length === 0 ? CHANGED_COUNTS : words) {
  console.log(`\n${count} routes behind key-auth in one worker: milliseconds of CPU\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', CHANGES_PROGRAM, String(count)], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`measuring changes ended with code ${status}`);
}
const session = new Session();
try {
  await measureLive(session, words.at(-1) ?? LIVE_COUNT);
} finally {
  await session.close();
}
