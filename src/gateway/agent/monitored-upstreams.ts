import type { MonitoredUpstream } from '../health/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';

/** The upstreams that a change puts or takes away, as whoever looks after nodes takes them. Those inside plugins are not among them (APISIX). */
export function monitoredUpstreams(changes: readonly RuntimeChange[]): readonly MonitoredUpstream[] {
  return changes.flatMap((change): MonitoredUpstream[] => {
    switch (change.op) {
      case 'put-service':
        return [{ serviceId: change.id, upstreamId: undefined, settings: change.settings.upstream }];
      case 'delete-service':
        return [{ serviceId: change.id, upstreamId: undefined, settings: undefined }];
      case 'put-upstream':
        return [{ serviceId: change.serviceId, upstreamId: change.id, settings: change.settings }];
      case 'delete-upstream':
        return [{ serviceId: change.serviceId, upstreamId: change.id, settings: undefined }];
      default:
        return [];
    }
  });
}
