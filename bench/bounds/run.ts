import { measureIndex } from './measure-index.ts';
import { measureLookUp } from './measure-look-up.ts';
import { measureRefusal } from './measure-refusal.ts';

/*
 * `npm run bench:bounds`: what has a bound of its own. Prints each figure with its bound; the exit code is 1 where one is missed.
 */
const LOOK_UP_BOUND_MICROSECONDS = 1.5;
const REFUSAL_BOUND_MS = 1;
const INDEX_BOUND_BYTES = 150;
const INDEX_KEYS = 1_000_000;
const KEYS_OF_CONSUMER = 10;

function tell(what: string, figure: number, bound: number, unit: string): void {
  const holds = figure < bound;
  if (!holds) process.exitCode = 1;
  console.log(`${what.padEnd(48)} ${figure.toFixed(3).padStart(8)} ${unit}   (bound ${bound} ${unit}: ${holds ? 'holds' : 'MISSED'})`);
}

for (const keys of [1000, 100_000]) tell(`look-up of a key among ${keys}`, measureLookUp(keys), LOOK_UP_BOUND_MICROSECONDS, 'µs');
tell(`shared index, a key of ${INDEX_KEYS}, ten a consumer`, measureIndex(INDEX_KEYS, KEYS_OF_CONSUMER), INDEX_BOUND_BYTES, 'bytes');
console.log(`… a key together with a consumer of its own ${measureIndex(INDEX_KEYS, 1).toFixed(0).padStart(8)} bytes`);
const { medianMs, p99Ms } = await measureRefusal();
tell('503 of overload, median', medianMs, REFUSAL_BOUND_MS, 'ms');
tell('503 of overload, 99th of 100', p99Ms, REFUSAL_BOUND_MS, 'ms');
