import { isThenable } from '../../lib/is-thenable.ts';
import type { BodyFilter } from '../../plugin-kit/index.ts';

/**
 * The same filter; `failed` hears what it throws and with what its promises are rejected, before its caller does. What it gives up
 * because it was aborted is no failure.
 */
export function reportingFailures(filter: BodyFilter, failed: (error: unknown) => void): BodyFilter {
  let aborted = false;
  const fail = (error: unknown): never => {
    if (!aborted) failed(error);
    throw error;
  };
  const watch = (run: () => void | Promise<void>): void | Promise<void> => {
    try {
      const ran = run();
      return isThenable(ran) ? Promise.resolve(ran).catch(fail) : undefined;
    } catch (error) {
      return fail(error);
    }
  };
  return {
    write: (chunk, push) => watch(() => filter.write(chunk, push)),
    end: (push) => watch(() => filter.end(push)),
    abort: () => {
      aborted = true;
      filter.abort?.();
    },
  };
}
