import type { GatewayOptions, WorkerListeners } from '../gateway-options.ts';
import { reusePortIsSupported } from './reuse-port.ts';

/** The workers that are started: one alone where this system lets only one listen on a port and no sockets were handed down. */
export function listeningWorkers({ workers, log }: Pick<GatewayOptions, 'workers' | 'log'>): {
  readonly workers: readonly WorkerListeners[];
  readonly reusePort: boolean;
} {
  const reusePort = reusePortIsSupported();
  const handedDown = workers.some((worker) => worker.httpDescriptors.length > 0);
  if (handedDown || reusePort) return { workers, reusePort };
  if (workers.length > 1) log.warn('this system lets only one worker listen on a port: one worker is started');
  return { workers: workers.slice(0, 1), reusePort };
}
