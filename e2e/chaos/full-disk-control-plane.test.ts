import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { killIfThere, RunningInstance, until, untilGone } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { fillDisk, isRemounted, makeSmallDisk } from '../../test-support/small-disk.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { publishGuardedRoute } from './guarded-route.ts';
import { NotPossibleHere } from './not-possible-here.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';

const DISK_BYTES = 64 * 1024 * 1024;
const WRITERS = ['writer_0', 'writer_1'];
const SOME_WRITES = 10;

chaosTest({
  name: 'full-disk-control-plane',
  promise:
    'a control plane whose disk is full or read-only loses nothing that was acknowledged, also when it is killed and started again there; requests go on, and with room again it goes on by itself',
  quickRounds: 1,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const dataFolder = await makeSmallDisk(chaos, DISK_BYTES);
    if (dataFolder === undefined) throw new NotPossibleHere('a disk of its own needs Linux and root');
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}`, dataFolder });
    const gateway = await startGateway(chaos, controlPlane);
    const port = gateway.instance.ports.http;
    await publishGuardedRoute(controlPlane.instance, await startEchoUpstream(chaos), [...WRITERS, 'steady', 'barrier']);
    const steadyKey = random.hexadecimal();
    const steady = '/apisix/admin/consumers/steady';
    await controlPlane.instance.admin('PUT', `${steady}/credentials/steady`, { plugins: { 'key-auth': { key: steadyKey } } });
    await untilCurrent(controlPlane.instance);
    const ledger = new CredentialLedger();
    const filler = path.join(dataFolder, 'filler');
    const check = async (): Promise<void> => {
      await untilCurrent(controlPlane.instance);
      await checkLedger({ instance: controlPlane.instance, gatewayPort: port, ledger, tally, random }, WRITERS);
    };
    await chaos.rounds(async (scope) => {
      const plane = controlPlane.instance;
      const writers = new CredentialWriters({ instance: plane, ledger, tally, random: random.fork(), consumers: WRITERS });
      const probe = new SettledKeysProbe({ port, ledger, tally, random: random.fork(), steadyKey });
      scope.after(() => Promise.all([writers.stop(), probe.stop()]));
      await until(() => writers.acknowledged >= SOME_WRITES, 'the writers are at work');
      fillDisk(filler);
      // Those go on that fit into what SQLite's log has of the disk already.
      await until(() => writers.refused >= SOME_WRITES, 'writes are refused on the full disk', 60_000);
      assert.equal((await plane.admin('GET', steady)).status, 200);

      // Its process is killed there, once or twice; whether the next one can serve is open, but it never gives up.
      for (let kills = random.integer(1, 3); kills > 0; kills--) {
        const pid = plane.child('control-plane');
        killIfThere(pid);
        await untilGone(pid);
        tally.killed('control-plane process, on a full disk');
        await until(() => plane.childProcesses().some(({ role }) => role === 'control-plane'), 'the next process starts');
      }
      await writers.stop();
      rmSync(filler);
      await check();

      // Everything is killed, and started while the disk is read-only.
      await plane.killEverything();
      await until(() => isRemounted(dataFolder, 'ro'), 'the disk is read-only');
      tally.killed('control plane, on a read-only disk');
      const refused = await RunningInstance.startAndFail(controlPlane.startOptions());
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /read-only|EROFS|cannot be (written|used|opened)/);
      assert.ok(await isRemounted(dataFolder, 'rw'));
      await controlPlane.start();
      await check();

      // The same on a full disk: it starts, or says why not in a sentence.
      await controlPlane.instance.killEverything();
      fillDisk(filler);
      tally.killed('control plane, started on a full disk');
      await startOrRefusal(controlPlane);
      rmSync(filler);
      if (!isRunning(controlPlane.instance)) await controlPlane.start();
      await check();
      await probe.stop();
      for (const code of probe.unanswered) tally.requestFailed(`the control plane's disk is full: ${code}`);
    });
  },
});

async function startOrRefusal(controlPlane: Awaited<ReturnType<typeof startControlPlane>>): Promise<void> {
  await controlPlane.start().catch((error: unknown) => {
    assert.match(String(error), /ended with code 1 before it was ready: .*(ENOSPC|full|no space|cannot be (written|used|opened))/s);
  });
}

function isRunning({ process }: RunningInstance): boolean {
  return process.exitCode === null && process.signalCode === null;
}
