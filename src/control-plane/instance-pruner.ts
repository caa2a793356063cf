import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../observability/index.ts';
import type { InstanceRegistry } from '../store/index.ts';
import { repeat } from './repeat.ts';

const INTERVAL_MS = 3_600_000;
/** As API7: an instance that has been away for seven days is forgotten. */
const FORGET_AFTER_MS = 7 * 86_400_000;

/** Forgets gateway instances that do not come back, once an hour. The returned function stops it and resolves when nothing is under way. */
export function startInstancePruner(options: {
  readonly registry: Pick<InstanceRegistry, 'forget'>;
  readonly clock: Clock;
  readonly log: Logger;
}): () => Promise<void> {
  const { registry, clock, log } = options;
  return repeat(clock, INTERVAL_MS, async () => {
    try {
      await registry.forget(FORGET_AFTER_MS);
    } catch (error) {
      log.error('gateway instances that are gone for good could not be forgotten', {}, error);
    }
  });
}
