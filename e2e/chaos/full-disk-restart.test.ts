import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { killIfThere, RunningInstance, until, untilGone } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { fillDisk, isRemounted, makeSmallDisk } from '../../test-support/small-disk.ts';
import { chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';
import { NotPossibleHere } from './not-possible-here.ts';

const DISK_BYTES = 32 * 1024 * 1024;

chaosTest({
  name: 'full-disk-restart',
  promise:
    'a gateway process that is restarted on a full disk serves from its disk copy; a start on a disk that is read-only is refused, and the next one on a disk that is not finds everything',
  quickRounds: 1,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const dataFolder = await makeSmallDisk(chaos, DISK_BYTES);
    if (dataFolder === undefined) throw new NotPossibleHere('a disk of its own needs Linux and root');
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const gateway = await startGateway(chaos, controlPlane, { dataFolder });
    const plane = controlPlane.instance;
    const port = gateway.instance.ports.http;
    await publishGuardedRoute(plane, await startEchoUpstream(chaos), ['jack', 'barrier']);
    const filler = path.join(dataFolder, 'filler');
    const answered = async (key: string, expected: number): Promise<void> => {
      const status = await statusFor({ port, path: GUARDED_PATH, key });
      tally.requests++;
      if (status !== expected) tally.requestFailed(`answered ${status} and not ${expected}`);
    };
    await chaos.rounds(async (_scope, index) => {
      const [key, revoked] = [random.hexadecimal(), random.hexadecimal()];
      const credential = `/apisix/admin/consumers/jack/credentials/c${index}`;
      await plane.admin('PUT', `${credential}-kept`, { plugins: { 'key-auth': { key } } });
      await plane.admin('PUT', `${credential}-revoked`, { plugins: { 'key-auth': { key: revoked } } });
      await plane.admin('DELETE', `${credential}-revoked`);
      await untilCurrent(plane);
      fillDisk(filler);
      const first = gateway.instance.child('gateway');
      killIfThere(first);
      await untilGone(first);
      tally.killed('gateway process, on a full disk');
      await until(async () => (await statusFor({ port, path: GUARDED_PATH, key })) === 200, 'the next process serves from its disk copy');
      await answered(revoked, 401);
      rmSync(filler);
      await untilCurrent(plane);
      await gateway.instance.killEverything();
      // The kernel gives back the files of a process a moment after it has gone.
      await until(() => isRemounted(dataFolder, 'ro'), 'the disk is read-only');
      tally.killed('gateway, on a read-only disk');
      const refused = await RunningInstance.startAndFail(gateway.startOptions());
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /read-only|EROFS|cannot be (written|used|opened)/);
      assert.ok(await isRemounted(dataFolder, 'rw'));
      await gateway.start();
      await answered(key, 200);
      await answered(revoked, 401);
      await untilCurrent(plane);
    });
  },
});
