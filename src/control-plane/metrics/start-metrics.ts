import type { InstanceRegistry, RevisionHints, Store, StoreHistory } from '../../store/index.ts';
import type { ControlPlaneOptions } from '../control-plane-options.ts';
import type { SyncAdmission } from '../joining/index.ts';
import type { SnapshotExporter } from '../snapshot-export/index.ts';
import type { CertificateSource } from '../tls/index.ts';
import type { ControlPlaneMetrics } from './control-plane-metrics.ts';
import { InventoryReader } from './inventory.ts';
import { startMetricsServer } from './start-metrics-server.ts';

/** What metrics are read from. */
export interface MetricParts {
  readonly metrics: ControlPlaneMetrics;
  readonly store: Store & StoreHistory & RevisionHints;
  readonly registry: InstanceRegistry;
  readonly admission: SyncAdmission;
  readonly certificate: CertificateSource;
  readonly exports: Pick<SnapshotExporter, 'states'> | undefined;
}

/** Reads what is to be told, and tells it on the listeners for metrics, where there are any. @throws StartError when one cannot be had */
export async function startMetrics(
  { metricsListeners: listeners, clock, log }: ControlPlaneOptions,
  { metrics, store, registry, admission, certificate, exports }: MetricParts,
): Promise<{ readonly ports: readonly number[]; stop(): Promise<void> }> {
  if (listeners.length === 0) return { ports: [], stop: async () => undefined };
  const reader = new InventoryReader({ store, registry, clock, log });
  metrics.watch({
    inventory: () => reader.inventory,
    connections: store.connections === undefined ? undefined : () => store.connections?.() ?? { open: 0, idle: 0, waiting: 0, most: 0 },
    exports: () => exports?.states() ?? [],
    certificates: () => [
      ['admin', certificate.current.certificate],
      ['sync', admission.tls.cert],
      ['authority', admission.tls.ca],
    ],
    wallMs: () => clock.nowMs(),
  });
  const server = await startMetricsServer({ listeners, pieces: () => metrics.registry.pieces(), clock, log });
  reader.start();
  return {
    ports: server.ports,
    stop: async () => {
      await reader.stop();
      await server.close();
    },
  };
}
