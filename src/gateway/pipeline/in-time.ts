import type { Clock } from '../../lib/clock.ts';

/** A plugin that has not decided after this time has failed, unless a setting says otherwise. */
export const PLUGIN_DEADLINE_MS = 10_000;

/** What the promise gives, or a rejection when it takes longer than `deadlineMs`; whatever it gives later is ignored. */
export function inTime<Result>(waiting: PromiseLike<Result>, clock: Clock, deadlineMs: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(deadlineMs, () => reject(new Error(`the plugin did not come back within ${deadlineMs} ms`)));
    Promise.resolve(waiting).then(resolve, reject).finally(cancel);
  });
}
