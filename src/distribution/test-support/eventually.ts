import { setImmediate } from 'node:timers/promises';

const DEADLINE_MS = 30_000;

/** Resolves as soon as the condition holds; looks again whenever the event loop has turned. @throws Error when it never does */
export async function eventually(condition: () => boolean, what = condition.toString()): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`this never came true: ${what}`);
    await setImmediate();
  }
}
