import type { AnyPlugin } from '../../plugin-kit/index.ts';
import type { LastEntered } from '../worker/worker-board.ts';
import type { RouteNumbers } from './route-numbers.ts';
import type { WorkerThread } from './worker-thread.ts';

/** What the log tells of a worker thread that ended: why, and which route and plugin it had entered last. */
export function lastWords(
  thread: WorkerThread,
  error: Error | undefined,
  known: {
    readonly slot: number | undefined;
    readonly last: LastEntered;
    readonly numbers: RouteNumbers;
    readonly plugins: readonly AnyPlugin[];
  },
) {
  const { slot, last, numbers, plugins } = known;
  return {
    worker: slot,
    cause: thread.endReason ?? error?.message ?? 'it exited',
    last_route: numbers.idOf(last.route),
    last_plugin: plugins[last.plugin - 1]?.name,
  };
}
