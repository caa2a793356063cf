import { readFileSync } from 'node:fs';

/** Where the system does not tell: macOS's OPEN_MAX, up to which Node raises its own limit. */
const DEFAULT_DESCRIPTORS = 10_240;

/** How many descriptors this process may have open. Node has raised the soft limit to the hard one when it started. */
export function readDescriptorLimit(): number {
  try {
    return parseDescriptorLimit(readFileSync('/proc/self/limits', 'latin1')) ?? DEFAULT_DESCRIPTORS;
  } catch {
    return DEFAULT_DESCRIPTORS;
  }
}

/** The soft limit in the text of `/proc/self/limits` (proc_pid_limits(5)); undefined when it is not there. */
export function parseDescriptorLimit(text: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(text) ?? [];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}
