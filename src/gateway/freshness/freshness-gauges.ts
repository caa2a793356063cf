import type { StateCheckResult } from '../../distribution/gateway-side.ts';
import type { Clock } from '../../lib/clock.ts';
import type { GaugeReading, InstanceMetrics } from '../metrics/index.ts';
import type { FreshnessState } from './freshness.ts';
import { registerStateGauges } from './state-gauges.ts';

/** Registers how fresh the configuration is. What is not known has no line. */
export function registerFreshnessGauges(
  metrics: InstanceMetrics,
  facts: {
    readonly state: () => FreshnessState;
    readonly stateCheck: () => StateCheckResult | undefined;
    readonly clock: Pick<Clock, 'monotonicMs'>;
  },
): void {
  registerStateGauges(metrics, facts.stateCheck, facts.clock);
  const gauge = (name: string, help: string, read: (state: FreshnessState) => number | undefined): void =>
    metrics.registerGauge({ name, help, labels: [] }, (): readonly GaugeReading[] => {
      const value = read(facts.state());
      return value === undefined ? [] : [{ labels: [], value }];
    });
  gauge('control_plane_connected', 'Whether a control plane is connected', ({ isConnected }) => (isConnected ? 1 : 0));
  gauge('control_plane_last_contact_seconds', 'Time since a control plane was connected', ({ sinceContactMs }) =>
    inSeconds(sinceContactMs),
  );
  gauge('configuration_age_seconds', 'Time since what is in force was known to be the newest', ({ ageMs }) => inSeconds(ageMs));
  gauge(
    'clock_ahead_of_control_plane_seconds',
    'How far the clock of the machine is ahead of the time of the control plane',
    ({ clockAheadMs }) => inSeconds(clockAheadMs),
  );
  gauge('expiry_clock_ahead_seconds', 'How far the time by which things expire is ahead of the clock of the machine', ({ expiryAheadMs }) =>
    inSeconds(expiryAheadMs),
  );
  gauge('configuration_lag_revisions', 'Revisions that the control plane has and the instance has not', ({ lag }) => lag);
  gauge('configuration_too_old', 'Whether the configuration is older than --max-configuration-age', ({ isTooOld }) => (isTooOld ? 1 : 0));
}

function inSeconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
