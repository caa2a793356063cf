import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';

/** A revision counts as good when all workers have run it for ten seconds. */
const PROBATION_MS = 11_000;
/** What it may take from the crash until the next request is answered, on a machine that has nothing else to do. */
const LONGEST_WAIT_MS = 2_000;
/** Long enough for several restarts, if there were any. */
const WATCH_MS = 3_000;
const AFTERWARDS_MS = 1_000;
const CRASHING_ROUTE = '/apisix/admin/routes/test-crashes-the-gateway';

chaosTest({
  name: 'crashing-revision',
  promise:
    'a revision that crashes the gateway process is tried once: requests go on from the last good one, and the control plane names it; how long they wait is printed',
  quickRounds: 1,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const gateway = await startGateway(chaos, controlPlane, { environment: { PORTCULLIS_TEST_HOOKS: '1' } });
    const plane = controlPlane.instance;
    const { instance } = gateway;
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), ['jack', 'barrier']);
    const credential = '/apisix/admin/consumers/jack/credentials/c';
    await chaos.rounds(async () => {
      const key = random.hexadecimal();
      const revoked = random.hexadecimal();
      await plane.admin('PUT', `${credential}0`, { plugins: { 'key-auth': { key } } });
      await plane.admin('PUT', `${credential}1`, { plugins: { 'key-auth': { key: revoked } } });
      await untilCurrent(plane);
      await pause(PROBATION_MS);
      const linesBefore = logLines(gateway.dataFolder).length;
      const first = instance.child('gateway');
      const operations = [
        { kind: 'route', id: 'test-crashes-the-gateway', body: { name: 'crashes', paths: ['/crash'], service_id: 'echo' } },
        { kind: 'credential', parent: 'jack', id: 'c1', method: 'delete' },
      ];
      let revision = 0;
      const waitMs = await longestWaitDuring(chaos, instance.ports.http, key, async () => {
        const write = await plane.admin('POST', '/api/gateway_groups/default/bulk', operations);
        assert.equal(write.status, 200, JSON.stringify(write.body));
        revision = Number(write.headers['portcullis-revision']);
      });
      tally.writesAcknowledged++;
      tally.killed('gateway process, by a revision');
      chaos.figure('longestWaitMs', waitMs, LONGEST_WAIT_MS);
      await until(() => isNamed(controlPlane.dataFolder, revision), 'the control plane names the revision, who refused it, and why');
      const second = instance.child('gateway');
      assert.notEqual(second, first);
      await pause(WATCH_MS);
      assert.equal(instance.child('gateway'), second, 'the same revision is not tried again');
      const status = await statusFor({ port: instance.ports.http, path: GUARDED_PATH, key: revoked });
      tally.requests++;
      if (status !== 401) tally.requestFailed(`a key that the refused revision revokes is answered ${status}`);
      assert.equal((await plane.admin('DELETE', CRASHING_ROUTE)).status, 200);
      await untilCurrent(plane);
      assert.equal(instance.child('gateway'), second, 'what mends it is taken by the process that runs');
      assertTriedOnce(logLines(gateway.dataFolder).slice(linesBefore), revision);
    });
  },
});

/** The log of the control plane names instance, revision and cause. */
function isNamed(dataFolder: string, revision: number): boolean {
  return logLines(dataFolder).some(
    (line) => line.message === 'a gateway instance refused a revision' && line.revision === revision && line.cause === 'crashed',
  );
}

/** What the processes of an instance have logged, in that order. */
function logLines(dataFolder: string): readonly Readonly<Record<string, unknown>>[] {
  const text = readFileSync(path.join(dataFolder, 'logs', 'portcullis.log'), 'utf8');
  // The last line may be being written.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** The gateway's log from the write on: one restart, made at once, from the disk copy of an earlier revision, and only then the refusal. */
function assertTriedOnce(lines: ReturnType<typeof logLines>, revision: number): void {
  const [restart, ...furtherRestarts] = lines.filter((line) => line.message === 'a process ended and is restarted');
  assert.ok(restart !== undefined);
  assert.deepEqual([restart.end, restart.delayMs, furtherRestarts], ['exit code 70', 0, []]);
  const load = lines.find((line) => line.message === 'the configuration was loaded from disk');
  assert.ok(load !== undefined && Number(load.revision) < revision, `loaded is ${load?.revision}, the one that crashes is ${revision}`);
  const refusal = lines.find((line) => line.message === 'a revision was refused');
  assert.ok(refusal !== undefined);
  assert.deepEqual([refusal.revision, refusal.cause], [revision, 'crashed']);
  assert.ok(lines.indexOf(restart) < lines.indexOf(load) && lines.indexOf(load) < lines.indexOf(refusal), 'restart, load, refusal');
}

/**
 * One request after the other, while `action` runs, for a second longer, and until the last is answered with 200: the longest time until
 * one was.
 */
async function longestWaitDuring({ tally }: ChaosRun, port: number, key: string, action: () => Promise<void>): Promise<number> {
  let isOver = false;
  let longestMs = 0;
  const asking = (async () => {
    let sinceMs = performance.now();
    let status: number | string = 0;
    while (!isOver || status !== 200) {
      status = await statusFor({ port, path: GUARDED_PATH, key });
      tally.requests++;
      if (typeof status === 'number' && status !== 200) tally.requestFailed(`a valid key is answered ${status}`);
      if (status !== 200) continue;
      longestMs = Math.max(longestMs, performance.now() - sinceMs);
      sinceMs = performance.now();
    }
  })();
  await action();
  await pause(AFTERWARDS_MS);
  isOver = true;
  await asking;
  return longestMs;
}
