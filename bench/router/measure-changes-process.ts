import { median } from '../report/statistics.ts';
import { prepareRoutes, routeChange } from './prepare-routes.ts';

// Run as: node --expose-gc measure-changes-process.ts <number of routes>
// Times are CPU times of this thread, so that they are those of a worker that nobody disturbs.
const CHANGES = 500;
const count = Number(process.argv[2]);
const { runtime, changes } = prepareRoutes(count);

/** What one turn of the loop took at most while something ran in slices. */
async function longestTurn(work: () => Promise<void>): Promise<{ readonly totalMs: number; readonly longestMs: number }> {
  let longestMs = 0;
  let isRunning = true;
  let last = cpuMs();
  const tick = (): void => {
    const now = cpuMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (isRunning) setImmediate(tick);
  };
  const startedAt = last;
  setImmediate(tick);
  await work();
  isRunning = false;
  tick();
  return { totalMs: cpuMs() - startedAt, longestMs };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const before = heapBytes();
const compiled = await longestTurn(async () => runtime.commit(await runtime.prepare(changes)));
const bytes = (heapBytes() - before) / count;
console.log(
  `compile all: ${compiled.totalMs.toFixed(0)} ms, longest turn ${compiled.longestMs.toFixed(1)} ms; ${(bytes / 1000).toFixed(1)} kB a route`,
);

const single: number[] = [];
const singles = await longestTurn(async () => {
  for (let turn = 0; turn < CHANGES; turn++) {
    const change = routeChange((turn * 7919) % count, count, `-${turn}`);
    const startedAt = performance.now();
    runtime.commit(await runtime.prepare([change]));
    single.push(performance.now() - startedAt);
    await new Promise((resolve) => setImmediate(resolve));
  }
});
console.log(`change one route: ${median(single).toFixed(3)} ms, longest turn of ${CHANGES} changes ${singles.longestMs.toFixed(1)} ms`);

const others = Array.from({ length: count }, (_, index) => routeChange(index, count, '-other'));
await new Promise((resolve) => setImmediate(resolve));
const all = await longestTurn(async () => runtime.commit(await runtime.prepare(others)));
console.log(`change all routes: ${all.totalMs.toFixed(0)} ms, longest turn ${all.longestMs.toFixed(1)} ms`);
