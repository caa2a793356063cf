import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { isAlive, RunningInstance } from '../../test-support/running-instance.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { chaosTest } from './chaos-test.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';

const LONGEST_START_MS = 2_500;

chaosTest({
  name: 'killed-supervisor',
  promise: 'whenever the supervisor is killed, in the middle of a start too, no process stays behind and the next start succeeds',
  quickRounds: 2,
  run: async ({ random, rounds, tally, after }) => {
    const dataFolder = await temporaryFolder({ after });
    const upstreamPort = await startEchoUpstream({ after });
    const options = { dataFolder, flags: ['--no-demo'] };
    const token = `a7ee-${random.hexadecimal()}`;
    const key = random.hexadecimal();
    const first = await RunningInstance.start(options, token);
    after(() => first.killEverything());
    await publishGuardedRoute(first, upstreamPort, ['jack']);
    await first.admin('PUT', '/apisix/admin/consumers/jack/credentials/c', { plugins: { 'key-auth': { key } } });
    assert.equal(await first.stop(), 0);
    await rounds(async (scope, index) => {
      // Every other round kills it in the middle of its start.
      const start = RunningInstance.launch(options, token);
      scope.after(() => start.killEverything());
      if (index % 2 === 0) await pause(random.integer(0, LONGEST_START_MS));
      else await start.untilReady();
      // Held still, so that it starts no child that would be missed.
      start.process.kill('SIGSTOP');
      const children = start.childProcesses().map(({ pid }) => pid);
      start.process.kill('SIGKILL');
      tally.killed(index % 2 === 0 ? 'supervisor while it starts' : 'supervisor');
      // The lock of the data folder is free as soon as the last child has gone.
      const next = await RunningInstance.start(options, token);
      scope.after(() => next.killEverything());
      assert.deepEqual(children.filter(isAlive), [], 'children that outlived their supervisor');
      const status = await statusFor({ port: next.ports.http, path: GUARDED_PATH, key });
      tally.requests++;
      if (status !== 200) tally.requestFailed(`after the next start: ${status}`);
      assert.equal(await next.stop(), 0);
    });
  },
});
