import { keepCompiledCode } from '../lib/keep-compiled-code.ts';
import { PreparedThreads } from './agent/prepared-threads.ts';
import { warmUp } from './agent/warm-up.ts';

/**
 * One worker and the thread that waits beside it, or two workers: each gateway needs as many. A machine with more workers has the cores to load
 * the others meanwhile, and they cost memory as long as nothing happens.
 */
const THREADS = 2;

/**
 * Does what a start can do before it knows any setting, which is nine tenths of it: for a process that waits for the one in service to
 * end. What it returns goes with the options of `startGateway`.
 */
export function prepareGateway(): PreparedThreads {
  const threads = new PreparedThreads(THREADS);
  warmUp();
  keepCompiledCode();
  return threads;
}
