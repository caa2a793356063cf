import { readFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly rssBytes: number;
  /** Proportional: pages shared between processes are counted once. Undefined where it cannot be read. */
  readonly pssBytes: number | undefined;
}

/** Memory that processes hold now (proc(5): `smaps_rollup`, `status`). */
export function processMemory(pids: readonly number[]): ProcessMemory {
  const rss = pids.map((pid) => kilobytes(`/proc/${pid}/status`, 'VmRSS') ?? 0);
  const pss = pids.map((pid) => kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss'));
  const readable = pss.filter((value) => value !== undefined);
  return { rssBytes: bytes(rss), pssBytes: readable.length === pids.length ? bytes(readable) : undefined };
}

function kilobytes(file: string, field: string): number | undefined {
  try {
    const value = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
    return value === undefined ? undefined : Number(value);
  } catch {
    return undefined;
  }
}

function bytes(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) * 1024;
}
