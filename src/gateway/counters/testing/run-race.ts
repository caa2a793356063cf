import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { CounterTables } from '../counter-tables.ts';
import { LocalCounters } from '../local-counters.ts';
import { machineTime } from '../machine-time.ts';
import type { RaceData, RaceReport, RaceTask } from './race-task.ts';

/** The machine's time on this thread. */
export const machineNow = machineTime(systemClock);

/** Tables for so many threads, and this one besides, which counts in the last row. */
export function tablesFor(threads: number, bytes?: number): { readonly tables: CounterTables; readonly counters: LocalCounters } {
  const tables = new CounterTables({
    rows: threads + 1,
    random: systemRandom,
    nowMs: machineNow(),
    wallMs: Date.now(),
    ...(bytes === undefined ? {} : { bytes }),
  });
  return { tables, counters: new LocalCounters({ handles: tables.handles, row: threads, now: machineNow }) };
}

/** Starts a thread that waits at the gate. */
export function startThread(tables: CounterTables, row: number, task: RaceTask, gate: SharedArrayBuffer): Worker {
  const workerData: RaceData = { handles: tables.handles, row, task, gate };
  return new Worker(new URL('./race-thread.child.ts', import.meta.url), { workerData });
}

/** A gate that opens when so many threads have come. */
export function gateFor(threads: number): SharedArrayBuffer {
  const gate = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(gate)[1] = threads;
  return gate;
}

/** Has real threads, as many as there are tasks, do them at once. */
export async function runRace(tables: CounterTables, tasks: readonly RaceTask[]): Promise<readonly RaceReport[]> {
  const gate = gateFor(tasks.length);
  return Promise.all(
    tasks.map(async (task, row) => {
      const thread = startThread(tables, row, task, gate);
      try {
        const [report]: RaceReport[] = await once(thread, 'message');
        if (report === undefined) throw new Error('a thread reports');
        return report;
      } finally {
        await thread.terminate();
      }
    }),
  );
}

/** The sum over all threads. */
export function sumOf(reports: readonly RaceReport[], field: 'allowed' | 'rejected' | 'unavailable' | 'wrong'): number {
  return reports.reduce((sum, report) => sum + report[field], 0);
}
