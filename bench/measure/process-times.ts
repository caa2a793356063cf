import { readFileSync } from 'node:fs';

/** Linux counts process times for user programs in hundredths of a second on every architecture (USER_HZ). */
const TICK_US = 10_000;

export interface ProcessTimes {
  readonly userUs: number;
  readonly systemUs: number;
}

/** Time that processes with all their threads have used so far; one that is gone counts as nothing. */
export function processTimes(pids: readonly number[]): ProcessTimes {
  const all = pids.map(timesOf);
  return { userUs: sum(all.map(({ userUs }) => userUs)), systemUs: sum(all.map(({ systemUs }) => systemUs)) };
}

function timesOf(pid: number): ProcessTimes {
  try {
    // Fields 14 and 15 of proc(5); the name before them may hold anything, so count from the last parenthesis.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { userUs: Number(fields[11]) * TICK_US, systemUs: Number(fields[12]) * TICK_US };
  } catch {
    return { userUs: 0, systemUs: 0 };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
