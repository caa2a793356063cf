import { workerData } from 'node:worker_threads';
import { identified } from './testing/identified.ts';
import { UsageCounter } from './usage-counter.ts';
import type { UsageHandles } from './usage-handles.ts';

/** Counts each of 200 credentials a thousand times. */
const { handles }: { readonly handles: UsageHandles } = workerData;
const counter = new UsageCounter(handles, 0);
const consumers = Array.from({ length: 200 }, (_, index) => identified('jack', `c${index}`));
for (let round = 0; round < 1000; round++) for (const consumer of consumers) counter.count(consumer, undefined, 200, round);
