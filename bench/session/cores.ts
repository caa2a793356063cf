import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { findProgram } from './find-program.ts';

/** Who runs where. Undefined: not pinned, because the machine has one core or no `taskset`. */
export interface Cores {
  readonly gateway: string | undefined;
  /** Load generator and upstream. */
  readonly load: string | undefined;
}

/** One worker: the gateway has core 0 for itself, load and upstream the others. More: all share all cores, as nobody would be alone anyway. */
export function coresFor(workers: number): Cores {
  const count = availableParallelism();
  if (count < 2 || findProgram('taskset') === undefined) return { gateway: undefined, load: undefined };
  const all = `0-${count - 1}`;
  if (workers > 1) return { gateway: all, load: all };
  return { gateway: '0', load: count === 2 ? '1' : `1-${count - 1}` };
}

/** The command that runs `words` on these cores. */
export function withCores(cores: string | undefined, words: readonly [string, ...string[]]): readonly [string, ...string[]] {
  return cores === undefined ? words : ['taskset', '-c', cores, ...words];
}

/** Moves a running process with all its threads. */
export function moveToCores(pid: number, cores: string | undefined): void {
  if (cores !== undefined) execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' });
}
