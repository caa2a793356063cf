import type { GatewayOptions } from '../gateway-options.ts';
import { deriveLimits, exceedsDescriptors, LoadTables, readDescriptorLimit } from '../limits/index.ts';

/** The tables in which `rows` threads count what the instance has to do, with limits that follow from the options and the machine. */
export function createLoadTables({ limits: settings, workers, random, log }: GatewayOptions, rows: number): LoadTables {
  // Those handed down are open for good.
  const handedDown = workers
    .flatMap((worker) => [worker.httpDescriptors, worker.httpsDescriptors, worker.streamDescriptors ?? []])
    .flat(3).length;
  const descriptors = Math.max(0, readDescriptorLimit() - handedDown);
  const limits = deriveLimits(descriptors, settings);
  if (exceedsDescriptors(limits, descriptors)) {
    log.warn('the limits of connections are higher than what this process may open', { ...limits, descriptors });
  }
  const { requestsPerService } = settings;
  if (requestsPerService !== undefined && requestsPerService > limits.requestsPerService) {
    log.warn('a service gets no more than half of the connections to upstreams', { asked: requestsPerService, ...limits });
  }
  return new LoadTables({ limits, descriptors, workers: workers.length, rows, random });
}
