import type { RegisteredInstance } from '../store/index.ts';

/** API7's states of a gateway. */
export const INSTANCE_STATUSES = ['Healthy', 'OutOfSync', 'LostConnection', 'Offline'] as const;

/** Away for longer than this is offline, as in API7. */
const OFFLINE_AFTER_MS = 2 * 3_600_000;

/** One that is connected is out of sync while it is behind, cannot put a revision in force, or was found to hold something else than it should. */
export function instanceStatus(
  instance: Pick<RegisteredInstance, 'isConnected' | 'state' | 'compared' | 'silentMs'>,
): (typeof INSTANCE_STATUSES)[number] {
  const { isConnected, state, compared, silentMs } = instance;
  if (isConnected) return state === 'current' && compared?.difference === undefined ? 'Healthy' : 'OutOfSync';
  return silentMs > OFFLINE_AFTER_MS ? 'Offline' : 'LostConnection';
}
