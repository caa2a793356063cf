import type { CancelTask, Clock } from '../lib/clock.ts';

/**
 * Runs `work`, which never throws, again and again, `intervalMs` after it last ended. The returned function stops that and resolves when
 * none is under way.
 */
export function repeat(clock: Clock, intervalMs: number, work: (isStopped: () => boolean) => Promise<void>): () => Promise<void> {
  let isStopped = false;
  let running: Promise<void> = Promise.resolve();
  let cancel: CancelTask = () => undefined;
  const schedule = (): void => {
    cancel = clock.schedule(intervalMs, () => {
      running = work(() => isStopped).then(() => {
        if (!isStopped) schedule();
      });
    });
  };
  schedule();
  return async () => {
    isStopped = true;
    cancel();
    await running;
  };
}
