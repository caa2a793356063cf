import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** Whether this many more descriptors can be had: opens them and gives them back, a few microseconds each. */
export function canOpenDescriptors(count: number): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, 'r'));
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code !== 'EMFILE' && code !== 'ENFILE';
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
