import type { StateCheckResult } from '../../distribution/gateway-side.ts';
import type { Clock } from '../../lib/clock.ts';
import type { GaugeReading, InstanceMetrics } from '../metrics/index.ts';

/** Registers whether the instance holds what its control plane has. There is no line before that was compared for the first time. */
export function registerStateGauges(
  metrics: InstanceMetrics,
  result: () => StateCheckResult | undefined,
  clock: Pick<Clock, 'monotonicMs'>,
): void {
  const read = (value: (result: StateCheckResult) => number) => (): readonly GaugeReading[] => {
    const known = result();
    return known === undefined ? [] : [{ labels: [], value: value(known) }];
  };
  metrics.registerGauge(
    { name: 'configuration_in_sync', help: 'Whether the instance holds what its control plane has', labels: [] },
    read(({ isSame }) => (isSame ? 1 : 0)),
  );
  metrics.registerGauge(
    { name: 'configuration_compared_seconds', help: 'Time since that was compared', labels: [] },
    read(({ comparedAtMs }) => (clock.monotonicMs() - comparedAtMs) / 1000),
  );
  metrics.registerCounter(
    { name: 'configuration_differences_total', help: 'Comparisons that found a difference', labels: [] },
    read(({ differences }) => differences),
  );
}
