import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { HealthThresholds } from '../../schema/index.ts';
import { type HealthReport, NodeHealth } from './node-health.ts';

const THRESHOLDS: HealthThresholds = { successes: 2, httpFailures: 3, tcpFailures: 2, timeouts: 1 };

function after(reports: readonly HealthReport[], thresholds = THRESHOLDS): NodeHealth {
  const health = new NodeHealth();
  for (const report of reports) health.report(report, thresholds);
  return health;
}

test('a node falls at the threshold of one kind of failure and rises at that of successes', () => {
  assert.equal(after([]).state, 'healthy');
  assert.equal(after(['http_failure', 'http_failure', 'tcp_failure']).state, 'mostly_healthy');
  assert.equal(after(['http_failure', 'http_failure', 'http_failure']).state, 'unhealthy');
  assert.equal(after(['tcp_failure', 'success', 'tcp_failure']).state, 'mostly_healthy');
  assert.equal(after(['timeout_failure']).state, 'unhealthy');
  assert.equal(after(['timeout_failure', 'success']).state, 'mostly_unhealthy');
  assert.equal(after(['timeout_failure', 'success', 'http_failure', 'success']).state, 'mostly_unhealthy');
  assert.equal(after(['timeout_failure', 'success', 'success']).state, 'healthy');
});

test('a threshold of 0 switches reports of its kind off', () => {
  const off = { successes: 0, httpFailures: 0, tcpFailures: 0, timeouts: 0 };
  const health = after(['http_failure', 'tcp_failure', 'timeout_failure', 'success'], off);
  assert.deepEqual([health.state, health.counters.http_failure], ['healthy', 0]);
});

test('what a node is taken for is what a slow model says of the reports so far', () => {
  const report = fc.constantFrom<HealthReport>('success', 'http_failure', 'tcp_failure', 'timeout_failure');
  const threshold = fc.nat(4);
  const thresholds = fc.record({ successes: threshold, httpFailures: threshold, tcpFailures: threshold, timeouts: threshold });
  fc.assert(
    fc.property(fc.array(report, { maxLength: 40 }), thresholds, (reports, limits) => {
      assert.equal(after(reports, limits).isDown, modelIsDown(reports, limits));
    }),
    { numRuns: 2000 },
  );
});

/** Looks back from each report to the last one of the other sort: down is who then had enough failures of the kind, up who had enough successes. */
function modelIsDown(all: readonly HealthReport[], limits: HealthThresholds): boolean {
  const limitOf: Readonly<Record<HealthReport, number>> = {
    success: limits.successes,
    http_failure: limits.httpFailures,
    tcp_failure: limits.tcpFailures,
    timeout_failure: limits.timeouts,
  };
  const reports = all.filter((report) => limitOf[report] > 0);
  let down = false;
  for (const [index, report] of reports.entries()) {
    const isSuccess = report === 'success';
    const other = reports.slice(0, index).findLastIndex((each) => (each === 'success') !== isSuccess);
    const run = reports.slice(other + 1, index + 1).filter((each) => each === report).length;
    if (run >= limitOf[report]) down = !isSuccess;
  }
  return down;
}
