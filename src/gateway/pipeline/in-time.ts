import type { CancelTask, Clock } from '../../lib/clock.ts';

/** A plugin that has not decided after this time has failed, unless a setting says otherwise. */
export const PLUGIN_DEADLINE_MS = 10_000;

/**
 * What the promise gives, or a rejection when it takes longer than `deadlineMs`; whatever it gives later is ignored. `takeGrantedMs` tells what
 * time was granted beside since it was asked last.
 */
export function inTime<Result>(
  waiting: PromiseLike<Result>,
  clock: Clock,
  deadlineMs: number,
  takeGrantedMs: () => number = () => 0,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let cancel: CancelTask = () => {};
    const wait = (durationMs: number): void => {
      cancel = clock.schedule(durationMs, () => {
        const grantedMs = takeGrantedMs();
        if (grantedMs > 0) wait(grantedMs);
        else reject(new Error(`the plugin did not come back within ${deadlineMs} ms`));
      });
    };
    wait(deadlineMs);
    Promise.resolve(waiting)
      .then(resolve, reject)
      .finally(() => cancel());
  });
}
