import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { startFilled } from '../portcullis/start-filled.ts';
import { Session } from '../session/session.ts';
import { type AdminCase, adminCases } from './admin-cases.ts';
import { AdminClient } from './admin-client.ts';
import { makeBenchDatabase } from './bench-database.ts';

// Run as: run.ts [number of consumers ...], on PostgreSQL too where DATABASE_URL names a server on which a database may be made
const FILL_PROGRAM = fileURLToPath(new URL('./fill-consumers-process.ts', import.meta.url));
const COUNTS = [1_000, 100_000];
const WARM_UP_TURNS = 20;
const TURNS = 60;
const SLOW_TURNS = 3;

const words = process.argv.slice(2);
const counts = words.length === 0 ? COUNTS : words.map(Number);
if (counts.some((count) => !Number.isInteger(count) || count < 100)) throw new RangeError('say how many consumers, each at least 100');
const serverURL = process.env.DATABASE_URL;
const session = new Session();
try {
  for (const count of counts) {
    await measure(count, undefined);
    if (serverURL !== undefined && serverURL !== '') await onPostgres(serverURL, count);
  }
} finally {
  await session.close();
}

async function onPostgres(server: string, count: number): Promise<void> {
  const database = await makeBenchDatabase(server);
  try {
    await measure(count, database.url);
  } finally {
    await database.drop();
  }
}

async function measure(count: number, databaseURL: string | undefined): Promise<void> {
  const store = databaseURL === undefined ? 'SQLite' : 'PostgreSQL';
  const { instance, token } = await startFilled(session, { name: `admin-${store}`, program: FILL_PROGRAM, count, databaseURL });
  const client = new AdminClient(instance.adminPort, token);
  console.log(`\n${count} consumers, ${store}\n`);
  console.log(`${'case'.padEnd(30)} median ms   least ms   median / that of`);
  const medians = new Map<string, number>();
  for (const each of await adminCases(client, count)) {
    const times = await timesOf(each);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    medians.set(each.name, median);
    const ratio = median / (medians.get(each.comparedWith) ?? median);
    const figures = [median, times[0] ?? 0].map((time) => time.toFixed(2).padStart(9));
    console.log(`${each.name.padEnd(30)} ${figures.join('  ')}   ${ratio.toFixed(2).padStart(8)}  ${each.comparedWith}`);
  }
  client.close();
  await instance.stop();
}

/** Milliseconds of each turn, the least first. */
async function timesOf({ ask, isSlow }: AdminCase): Promise<readonly number[]> {
  const times: number[] = [];
  const warmUp = isSlow ? 1 : WARM_UP_TURNS;
  for (let turn = 0; turn < warmUp + (isSlow ? SLOW_TURNS : TURNS); turn++) {
    const startedAt = performance.now();
    await ask(turn);
    if (turn >= warmUp) times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}
