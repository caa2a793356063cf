import { readdirSync, readFileSync } from 'node:fs';

/** A zombie whose parent has not looked yet counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The processes that one has started and that still run (proc(5)). */
export function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const afterName = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
        return Number(afterName.split(' ')[1]) === parent;
      } catch {
        return false;
      }
    })
    .map(Number);
}
