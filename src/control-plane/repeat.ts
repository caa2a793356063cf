import type { CancelTask, Clock } from '../lib/clock.ts';

/**
 * Runs `work`, which never throws, again and again, `intervalMs` after it last ended; with `atOnce` the first time comes at once. The returned function stops that and resolves when
 * none is under way.
 */
export function repeat(
  clock: Clock,
  intervalMs: number,
  work: (isStopped: () => boolean) => Promise<void>,
  options: { readonly atOnce?: boolean } = {},
): () => Promise<void> {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel: CancelTask = () => undefined;
  const schedule = (delayMs: number): void => {
    cancel = clock.schedule(delayMs, () => {
      running = work(() => isStopped).then(() => {
        if (!isStopped) schedule(intervalMs);
      });
    });
  };
  schedule(options.atOnce === true ? 0 : intervalMs);
  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}
