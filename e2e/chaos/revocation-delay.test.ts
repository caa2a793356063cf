import assert from 'node:assert/strict';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { joinSimulatedInstance, type SimulatedInstance } from '../../test-support/simulated-instances.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';

const INSTANCE_COUNTS = [1, 10, 50];
const REVOCATIONS_IN_A_ROUND = 5;

chaosTest({
  name: 'revocation-delay',
  promise:
    'a revocation that is answered is in force at each of 1, 10 and 50 instances that its answer counts; how long that takes is printed',
  quickRounds: 2,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const gateway = await startGateway(chaos, controlPlane);
    const plane = controlPlane.instance;
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), ['jack', 'barrier']);
    const simulated: SimulatedInstance[] = [];
    const delays = new Map<number, number[]>(INSTANCE_COUNTS.map((count) => [count, []]));
    await chaos.rounds(async () => {
      for (const count of INSTANCE_COUNTS) {
        // One is the real gateway; those of the round before are too many for this one.
        while (simulated.length > count - 1) await simulated.pop()?.stop();
        while (simulated.length < count - 1) simulated.push(await joinSimulatedInstance(chaos, { plane }));
        await untilCurrent(plane, count);
        for (let turn = 0; turn < REVOCATIONS_IN_A_ROUND; turn++) {
          const key = random.hexadecimal();
          const delayMs = await revokeOne(chaos, { plane, port: gateway.instance.ports.http, simulated, key, count });
          delays.get(count)?.push(delayMs);
        }
      }
      for (const [count, all] of delays) {
        const sorted = all.toSorted((one, other) => one - other);
        tally.figures[`revocationP50MsAt${count}`] = rounded(sorted[Math.floor(sorted.length * 0.5)]);
        tally.figures[`revocationP99MsAt${count}`] = rounded(sorted[Math.floor(sorted.length * 0.99)]);
      }
    });
  },
});

function rounded(value: number | undefined): number {
  return Math.round((value ?? Number.NaN) * 10) / 10;
}

/** From the moment at which the request is sent to its answer, by which all instances have it in force. */
async function revokeOne(
  { tally }: ChaosRun,
  options: {
    readonly plane: RunningInstance;
    readonly port: number;
    readonly simulated: readonly SimulatedInstance[];
    readonly key: string;
    readonly count: number;
  },
): Promise<number> {
  const { plane, port, simulated, key, count } = options;
  const path = '/apisix/admin/consumers/jack/credentials/c';
  const given = await plane.admin('PUT', path, { plugins: { 'key-auth': { key } } });
  assert.ok(given.status === 200 || given.status === 201);
  await until(async () => (await statusFor({ port, path: GUARDED_PATH, key })) === 200, 'the key opens');
  const sentMs = performance.now();
  const removed = await plane.admin('DELETE', path, undefined, { Prefer: 'wait=30' });
  const delayMs = performance.now() - sentMs;
  assert.equal(removed.status, 200);
  tally.writesAcknowledged += 2;
  assert.equal(removed.headers['portcullis-applied'], `${count}/${count}`);
  const status = await statusFor({ port, path: GUARDED_PATH, key });
  tally.requests++;
  if (status !== 401) tally.requestFailed(`a revocation was answered, and the key then with ${status}`);
  const revision = Number(removed.headers['portcullis-revision']);
  for (const instance of simulated) {
    if ((instance.revision ?? 0) < revision) tally.requestFailed(`${instance.instanceId} is at ${instance.revision}, not ${revision}`);
  }
  return delayMs;
}
