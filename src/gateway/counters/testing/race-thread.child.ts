// A thread of the tests of counters: waits until all are ready, does its task and reports.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../../lib/clock.ts';
import { LocalCounters } from '../local-counters.ts';
import { machineTime } from '../machine-time.ts';
import type { RaceData, RaceReport, RaceTask } from './race-task.ts';

const { handles, row, task, gate }: RaceData = workerData;
const machineNow = machineTime(systemClock);
let nowMs = machineNow();
const counters = new LocalCounters({ handles, row, now: () => nowMs });

const tally = { allowed: 0, rejected: 0, unavailable: 0, wrong: 0 };
const windows = new Map<number, number>();
const times: number[] = [];

function note(kind: string): void {
  if (kind === 'allowed' || kind === 'entered') tally.allowed++;
  else if (kind === 'rejected') tally.rejected++;
  else tally.unavailable++;
}

function burst({ counter, limit, calls }: Extract<RaceTask, { kind: 'burst' }>): void {
  for (let call = 0; call < calls; call++) {
    if (counter === 'fixed') note(counters.fixedWindow('key', limit, 3_600_000).kind);
    else if (counter === 'sliding') note(counters.slidingWindow('key', limit, 3_600_000_000).kind);
    // One leaks away in an hour, so that what is let through are the first and the burst.
    else note(counters.leakyBucket('key', 1 / 3600, limit - 1).kind);
  }
}

function turning({ limit, windowMs, forMs }: Extract<RaceTask, { kind: 'turning' }>): void {
  const untilMs = machineNow() + forMs;
  for (nowMs = machineNow(); nowMs < untilMs; nowMs = machineNow()) {
    const decision = counters.fixedWindow('key', limit, windowMs);
    note(decision.kind);
    if (decision.kind !== 'allowed') continue;
    const endMs = Math.round(nowMs + decision.resetMs);
    windows.set(endMs, (windows.get(endMs) ?? 0) + 1);
  }
}

function inFlight({ limit, keys, calls, shadow }: Extract<RaceTask, { kind: 'in-flight' }>): void {
  const seen = new Int32Array(shadow);
  let state = row + 1;
  for (let call = 0; call < calls; call++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const key = (state >>> 8) % keys;
    const entry = counters.enter(`key ${key}`, limit);
    note(entry.kind);
    if (entry.kind !== 'entered') continue;
    if (Atomics.add(seen, key, 1) >= limit) tally.wrong++;
    Atomics.sub(seen, key, 1);
    entry.leave();
  }
}

function crowd({ limit, calls }: Extract<RaceTask, { kind: 'crowd' }>): void {
  for (let call = 0; call < calls; call++) note(counters.enter('key', limit).kind);
}

/** The board counts how often the two have come. */
function duel({ rounds, board }: Extract<RaceTask, { kind: 'duel' }>): void {
  const shared = new Int32Array(board);
  let arrivals = 0;
  const meet = (): void => {
    arrivals += 2;
    Atomics.add(shared, 0, 1);
    Atomics.notify(shared, 0);
    // The other comes within a microsecond, unless there is no processor for it.
    for (let look = 0; Atomics.load(shared, 0) < arrivals; look++) if (look > 5000) Atomics.wait(shared, 0, arrivals - 1, 1);
  };
  for (let round = 0; round < rounds; round++) {
    meet();
    const entry = counters.enter('key', 1);
    note(entry.kind);
    meet();
    if (entry.kind === 'entered') entry.leave();
  }
}

function flood({ keys, exhausted }: Extract<RaceTask, { kind: 'flood' }>): void {
  for (let key = 0; key < keys; key++) {
    if (key % 1000 === 0) {
      nowMs = machineNow();
      if (counters.fixedWindow(exhausted, 3, 3_600_000).kind !== 'rejected') tally.wrong++;
    }
    note(counters.fixedWindow(`${row}:${key}`, 10, 60_000).kind);
  }
}

function churn({ keys }: Extract<RaceTask, { kind: 'churn' }>): void {
  let state = row + 1;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    nowMs = machineNow();
    const key = `key ${(state >>> 8) % keys}`;
    counters.fixedWindow(key, 3, 1);
    counters.slidingWindow(key, 3, 1);
    counters.leakyBucket(key, 1000, 2);
    counters.record(key, 1)?.add(0, 1);
    const entry = counters.enter(key, 2);
    if (entry.kind === 'entered' && state % 3 !== 0) entry.leave();
  }
}

/** Waits for the other threads. */
function begin(): void {
  const ready = new Int32Array(gate);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < Atomics.load(ready, 1)) {
    // All begin within a microsecond.
  }
  nowMs = machineNow();
}

function run(): void {
  switch (task.kind) {
    case 'burst':
      burst(task);
      break;
    case 'turning':
      turning(task);
      break;
    case 'in-flight':
      inFlight(task);
      break;
    case 'crowd':
      crowd(task);
      break;
    case 'duel':
      duel(task);
      break;
    case 'flood':
      flood(task);
      break;
    case 'churn':
      churn(task);
      break;
    case 'time':
      times.push(Number(process.hrtime.bigint()) / 1e6, machineNow(), Number(process.hrtime.bigint()) / 1e6);
  }
}

begin();
run();
const report: RaceReport = { ...tally, windows, times };
parentPort?.postMessage(report);
