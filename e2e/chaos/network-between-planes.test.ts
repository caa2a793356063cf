import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { startHostileWire, type WireFault } from '../../test-support/hostile-wire.ts';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { publishGuardedRoute } from './guarded-route.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';

const WRITERS = ['writer_0', 'writer_1'];
const FAULTS: readonly WireFault[] = ['cut', 'slow', 'trickle', 'half-open'];
const LONGEST_FAULT_MS = 1_500;
/** Of faults in `npm run e2e:chaos`. A gateway gives a connection up that has been silent for six seconds. */
const LONG_SHARE = 0.2;
const LONG_FAULT_MS = 9_000;

chaosTest({
  name: 'network-between-planes',
  promise:
    'whatever the network between the planes does, gateways serve on, come to what the control plane has, and let no revoked key in again',
  quickRounds: 4,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const ledger = new CredentialLedger();
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const { instance: plane } = controlPlane;
    const wire = await startHostileWire(chaos, { port: plane.ports.sync });
    const gateway = await startGateway(chaos, controlPlane, { syncPorts: [wire.port] });
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), [...WRITERS, 'steady', 'barrier']);
    const steadyKey = random.hexadecimal();
    await plane.admin('PUT', '/apisix/admin/consumers/steady/credentials/steady', { plugins: { 'key-auth': { key: steadyKey } } });
    await untilCurrent(plane);
    const port = gateway.instance.ports.http;
    await chaos.rounds(async (scope, index) => {
      const fault = FAULTS[index % FAULTS.length] ?? 'cut';
      const writers = new CredentialWriters({ instance: plane, ledger, tally, random: random.fork(), consumers: WRITERS });
      const probe = new SettledKeysProbe({ port, ledger, tally, random: random.fork(), steadyKey });
      scope.after(() => Promise.all([writers.stop(), probe.stop()]));
      await until(() => writers.acknowledged >= 3, 'the writers are at work');
      wire.use(fault);
      tally.killed(fault);
      const isLong = chaos.isThorough && random.fraction() < LONG_SHARE;
      await pause(isLong ? LONG_FAULT_MS : random.integer(300, LONGEST_FAULT_MS));
      if (isLong && (fault === 'cut' || fault === 'half-open')) assert.equal(await isConnected(gateway.instance), false, fault);
      const before = writers.acknowledged;
      await until(() => writers.acknowledged > before, 'writes go on without the gateway');
      await Promise.all([writers.stop(), probe.stop()]);
      for (const code of probe.unanswered) tally.requestFailed(`${fault}: ${code}`);
      wire.use('open');
      await untilCurrent(plane);
      await checkLedger({ instance: plane, gatewayPort: port, ledger, tally, random }, WRITERS);
      assert.equal(ledger.entries.filter(({ uncertain }) => uncertain !== undefined).length, 0);
    });
  },
});

/** What the gateway says of itself. */
async function isConnected({ ports }: RunningInstance): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${ports.status}/status`);
  const { control_plane } = (await answer.json()) as { readonly control_plane: { readonly connected: boolean } };
  return control_plane.connected;
}
