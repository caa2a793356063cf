import { parentPort, workerData } from 'node:worker_threads';
import type { MetricsHandles } from './metrics-handles.ts';
import { WorkerMetrics } from './worker-metrics.ts';

/** Counts each of 2000 label sets ten times, from where the parent opens the gate. */
const { handles, row, gate }: { readonly handles: MetricsHandles; readonly row: number; readonly gate: Int32Array } = workerData;
const hits = new WorkerMetrics(handles, row).counter({ name: 'hits', help: 'Hits', labels: ['code', 'route'] });
parentPort?.postMessage('ready');
Atomics.wait(gate, 0, 0);
for (let index = 0; index < 20_000; index++) hits.add(['200', `route-${index % 2000}`]);
