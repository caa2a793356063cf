import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';

const PRELOAD = fileURLToPath(new URL('../../test-support/jumping-clock.ts', import.meta.url));
const WRITERS = ['writer_0', 'writer_1'];
const HOUR_MS = 3_600_000;
const JUMPS_MS = [-24 * HOUR_MS, 24 * HOUR_MS, -2_000, HOUR_MS, 300 * 24 * HOUR_MS, 0];
const SOME_WRITES = 10;

chaosTest({
  name: 'clock-jumps',
  promise: 'when the clocks of control plane and gateway jump, apart and in both directions, requests, writes and revocations go on',
  quickRounds: 3,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const folder = await temporaryFolder(chaos);
    const clocks = { plane: path.join(folder, 'plane'), gateway: path.join(folder, 'gateway') };
    for (const file of Object.values(clocks)) writeFileSync(file, '0');
    const environmentOf = (file: string) => ({ NODE_OPTIONS: `--import=${PRELOAD}`, JUMPING_CLOCK_FILE: file });
    const token = `a7ee-${random.hexadecimal()}`;
    const controlPlane = await startControlPlane(chaos, { token, environment: environmentOf(clocks.plane) });
    const gateway = await startGateway(chaos, controlPlane, { environment: environmentOf(clocks.gateway) });
    const plane = controlPlane.instance;
    const port = gateway.instance.ports.http;
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), [...WRITERS, 'steady', 'barrier']);
    const steadyKey = random.hexadecimal();
    await plane.admin('PUT', '/apisix/admin/consumers/steady/credentials/steady', { plugins: { 'key-auth': { key: steadyKey } } });
    await untilCurrent(plane);
    const ledger = new CredentialLedger();
    await chaos.rounds(async (scope) => {
      const writers = new CredentialWriters({ instance: plane, ledger, tally, random: random.fork(), consumers: WRITERS });
      const probe = new SettledKeysProbe({ port, ledger, tally, random: random.fork(), steadyKey });
      scope.after(() => Promise.all([writers.stop(), probe.stop()]));
      for (const [name, file] of random.shuffle(Object.entries(clocks))) {
        const jumpMs = random.pick(JUMPS_MS);
        setClock(file, jumpMs);
        if (name === 'plane') await until(async () => isOffBy(jumpMs, await timeOfWrite(plane)), 'the clock has jumped');
        tally.killed(`${name} clock, jumped`);
        const before = writers.acknowledged;
        await until(() => writers.acknowledged >= before + SOME_WRITES, 'writes go on');
      }
      await Promise.all([writers.stop(), probe.stop()]);
      for (const code of probe.unanswered) tally.requestFailed(`clock jumped: ${code}`);
      await untilCurrent(plane);
      await checkLedger({ instance: plane, gatewayPort: port, ledger, tally, random }, WRITERS);
      // A gateway that starts while its clock is wrong serves what it has.
      await gateway.instance.killEverything();
      await gateway.start();
      assert.equal(await statusFor({ port, path: GUARDED_PATH, key: steadyKey }), 200);
      for (const file of Object.values(clocks)) setClock(file, 0);
      await untilCurrent(plane);
    });
  },
});

/** What the control plane writes down as the time of a write, in milliseconds. */
async function timeOfWrite(plane: { admin(method: string, resource: string, body: unknown): Promise<{ body: unknown }> }): Promise<number> {
  const { body } = await plane.admin('PUT', '/apisix/admin/consumers/clock', { username: 'clock', desc: randomUUID() });
  return (body as { value: { updated_at: number } }).value.updated_at * 1000;
}

function isOffBy(jumpMs: number, timeMs: number): boolean {
  return Math.abs(timeMs - Date.now() - jumpMs) <= 1_500;
}

/** Whole at every moment. */
function setClock(file: string, offsetMs: number): void {
  writeFileSync(`${file}.new`, String(offsetMs));
  renameSync(`${file}.new`, file);
}
