import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { parseExposition, sampleValue } from '../../../test-support/parse-exposition.ts';
import { InstanceMetrics } from '../metrics/index.ts';
import type { FreshnessState } from './freshness.ts';
import { registerFreshnessGauges } from './freshness-gauges.ts';

const BEHIND: FreshnessState = {
  isConnected: true,
  sinceContactMs: 0,
  ageMs: 90_500,
  lag: 3,
  isTooOld: true,
  refusesRequests: false,
  clockAheadMs: -2_000,
  expiryAheadMs: 1_000,
};

function textOf(state: FreshnessState): string {
  const metrics = new InstanceMetrics(1);
  registerFreshnessGauges(metrics, { state: () => state, stateCheck: () => undefined, clock: new FakeClock() });
  return [...metrics.pieces()].join('');
}

test('how far an instance is behind, how old its configuration is and what its clocks say are metrics', () => {
  const text = textOf(BEHIND);
  for (const [name, value] of [
    ['control_plane_connected', 1],
    ['control_plane_last_contact_seconds', 0],
    ['configuration_age_seconds', 90.5],
    ['configuration_lag_revisions', 3],
    ['configuration_too_old', 1],
    ['clock_ahead_of_control_plane_seconds', -2],
    ['expiry_clock_ahead_seconds', 1],
  ] as const)
    assert.equal(sampleValue(text, `portcullis_${name}`), value, name);
});

test('what is not known has no line', () => {
  const text = textOf({ ...BEHIND, isConnected: false, ageMs: undefined, lag: undefined, clockAheadMs: undefined });
  assert.equal(sampleValue(text, 'portcullis_control_plane_connected'), 0);
  const names = new Set(parseExposition(text).map(({ name }) => name));
  for (const name of ['configuration_lag_revisions', 'configuration_age_seconds', 'clock_ahead_of_control_plane_seconds'])
    assert.ok(!names.has(`portcullis_${name}`), name);
});
