import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

// Loaded with `--import` before a program: its wall clock is off by what the file JUMPING_CLOCK_FILE says, in milliseconds, as when an
// administrator or a time server sets the machine's clock. Time that only goes on (timers, `performance.now`) is as it is, as there.
const FILE = process.env.JUMPING_CLOCK_FILE ?? '';
const READ_EACH_MS = 20;
const RealDate = Date;
const realNow = Date.now;
let offsetMs = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

function now(): number {
  const at = performance.now();
  if (at - readAtMs >= READ_EACH_MS) {
    readAtMs = at;
    try {
      offsetMs = Number(readFileSync(FILE, 'utf8'));
    } catch {
      // It is being written.
    }
  }
  return realNow() + offsetMs;
}

/** `new Date()` is that clock too; every other use is the real one's. */
const JumpingDate = new Proxy(RealDate, {
  construct: (target, words, newTarget) => Reflect.construct(target, words.length === 0 ? [now()] : words, newTarget),
});
RealDate.now = now;
globalThis.Date = JumpingDate;
