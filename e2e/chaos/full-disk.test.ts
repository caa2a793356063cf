import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { until } from '../../test-support/running-instance.ts';
import { type RestartableInstance, startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { publishGuardedRoute } from './guarded-route.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';

const run = promisify(execFile);
const WRITERS = ['writer_0', 'writer_1'];
/** Room that is left in the gateway's journal, so that writes break off in the middle of a record. */
const MOST_ROOM_BYTES = 2_000;
/** No file may grow or be written at all, as on a disk that has turned read-only. */
const READ_ONLY = 0;
const ATTEMPTS = 40;
/** Of which the full disk must be seen: by the control plane's they are refused, by the gateway's they are not in force. */
const SOME_WRITES = 5;

chaosTest({
  name: 'full-disk',
  promise:
    'on a full or read-only disk writes are refused and nothing that was acknowledged is lost; requests go on, and all heals when there is room again',
  quickRounds: 3,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const gateway = await startGateway(chaos, controlPlane);
    const plane = controlPlane.instance;
    const port = gateway.instance.ports.http;
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), [...WRITERS, 'steady', 'barrier']);
    const steadyKey = random.hexadecimal();
    await plane.admin('PUT', '/apisix/admin/consumers/steady/credentials/steady', { plugins: { 'key-auth': { key: steadyKey } } });
    await untilCurrent(plane);
    const ledger = new CredentialLedger();
    const disks = [
      {
        name: 'control plane',
        pid: () => plane.child('control-plane'),
        // SQLite's log is written from its beginning again when it is long enough, and grows no more.
        roomBytes: () => random.integer(0, largestFile(controlPlane.dataFolder, 'store.sqlite')),
        isFelt: ({ refused }: CredentialWriters) => refused >= SOME_WRITES,
      },
      {
        name: 'gateway',
        pid: () => gateway.instance.child('gateway'),
        roomBytes: () => largestFile(path.join(gateway.dataFolder, 'gateway'), 'journal-') + random.integer(0, MOST_ROOM_BYTES),
        isFelt: ({ behind }: CredentialWriters) => behind >= SOME_WRITES,
      },
    ] as const;
    await chaos.rounds(async (scope, index) => {
      const disk = disks[index % disks.length] ?? disks[0];
      const roomBytes = random.fraction() < 0.3 ? READ_ONLY : disk.roomBytes();
      const writers = new CredentialWriters({ instance: plane, ledger, tally, random: random.fork(), consumers: WRITERS });
      const probe = new SettledKeysProbe({ port, ledger, tally, random: random.fork(), steadyKey });
      scope.after(() => Promise.all([writers.stop(), probe.stop()]));
      await until(() => writers.acknowledged >= 3, 'the writers are at work');
      await limitFiles(disk.pid(), String(roomBytes));
      tally.killed(`${disk.name}: disk ${roomBytes === READ_ONLY ? 'read-only' : 'full'}`);
      const before = writers.attempts;
      await until(() => writers.attempts >= before + ATTEMPTS && disk.isFelt(writers), 'writes meet the full disk', 60_000);
      await Promise.all([writers.stop(), probe.stop()]);
      for (const code of probe.unanswered) tally.requestFailed(`disk of the ${disk.name} full: ${code}`);
      await limitFiles(disk.pid(), 'unlimited');
      await recover(chaos, { plane: controlPlane, gateway }, ledger);
    });
  },
});

/** There is room again; nothing needs a restart. */
async function recover(
  { tally, random }: ChaosRun,
  { plane, gateway }: { readonly plane: RestartableInstance; readonly gateway: RestartableInstance },
  ledger: CredentialLedger,
): Promise<void> {
  await untilCurrent(plane.instance);
  const options = { instance: plane.instance, gatewayPort: gateway.instance.ports.http, ledger, tally, random };
  await checkLedger(options, WRITERS);
}

/**
 * The kernel refuses any write beyond this size of a file to one process (RLIMIT_FSIZE), which fails as a write to a full disk does and needs no right
 * to mount anything; the process goes on, as Node.js ignores the signal. Sockets and pipes are not limited.
 */
async function limitFiles(pid: number, bytes: string): Promise<void> {
  try {
    await run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
  } catch (error) {
    throw new Error(`prlimit (util-linux) is needed to fill a disk: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Bytes of the largest file of a folder whose name begins so. */
function largestFile(folder: string, beginning: string): number {
  const sizes = readdirSync(folder)
    .filter((name) => name.startsWith(beginning))
    .map((name) => statSync(path.join(folder, name)).size);
  assert.ok(sizes.length > 0);
  return Math.max(...sizes);
}
