import assert from 'node:assert/strict';
import { statusFor } from '../../test-support/ask-gateway.ts';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { until } from '../../test-support/running-instance.ts';
import { startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { GUARDED_PATH, publishGuardedRoute } from './guarded-route.ts';

const REQUESTS = 40;
const ENDINGS = ['SIGTERM', 'kill -9 of all', 'kill -9 of the gateway process', 'replaced'] as const;

chaosTest({
  name: 'control-plane-away',
  promise:
    'with the control plane away a gateway serves on and starts again from its own disk, with all keys that were revoked still revoked',
  quickRounds: 3,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const gateway = await startGateway(chaos, controlPlane);
    await publishGuardedRoute(controlPlane.instance, await startEchoUpstream(chaos), ['jack', 'barrier']);
    await untilCurrent(controlPlane.instance);
    const credential = '/apisix/admin/consumers/jack/credentials';
    const put = async (id: string, key: string): Promise<void> => {
      const answer = await controlPlane.instance.admin('PUT', `${credential}/${id}`, { plugins: { 'key-auth': { key } } });
      assert.match(`${answer.status} ${answer.headers['portcullis-applied']}`, /^20[01] 1\/1$/);
      tally.writesAcknowledged++;
    };
    const expect = async (key: string, expected: number, when: string): Promise<void> => {
      const status = await statusFor({ port: gateway.instance.ports.http, path: GUARDED_PATH, key });
      tally.requests++;
      if (status !== expected) tally.requestFailed(`${when}: ${status} instead of ${expected}`);
    };
    await chaos.rounds(async (_scope, index) => {
      const [kept, revoked] = [random.hexadecimal(), random.hexadecimal()];
      await put('kept', kept);
      await put('revoked', revoked);
      const removal = await controlPlane.instance.admin('DELETE', `${credential}/revoked`);
      assert.equal(removal.headers['portcullis-applied'], '1/1');
      await controlPlane.instance.killEverything();
      tally.killed('control plane');
      for (let turn = 0; turn < REQUESTS; turn++) await expect(kept, 200, 'with the control plane away');
      const ending = ENDINGS[index % ENDINGS.length] ?? 'SIGTERM';
      tally.killed(`gateway: ${ending}`);
      await endGateway(gateway, ending);
      for (let turn = 0; turn < REQUESTS; turn++) {
        await expect(kept, 200, `after ${ending}, with the control plane away`);
        await expect(revoked, 401, `after ${ending}, with the control plane away`);
      }
      await controlPlane.start();
      await untilCurrent(controlPlane.instance);
      const later = random.hexadecimal();
      await put('later', later);
      await expect(later, 200, 'with the control plane back');
      await expect(revoked, 401, 'with the control plane back');
    });
  },
});

/** Ends the gateway and resolves when it serves again. */
async function endGateway(gateway: Awaited<ReturnType<typeof startGateway>>, ending: (typeof ENDINGS)[number]): Promise<void> {
  const { instance } = gateway;
  switch (ending) {
    case 'SIGTERM':
      assert.equal(await instance.stop(), 0);
      return gateway.start();
    case 'kill -9 of all':
      await instance.killEverything();
      return gateway.start();
    case 'kill -9 of the gateway process':
    case 'replaced': {
      const old = instance.child('gateway');
      if (ending === 'replaced') instance.process.kill('SIGUSR2');
      else process.kill(old, 'SIGKILL');
      await until(() => instance.childProcesses().some(({ pid, role }) => role === 'gateway' && pid !== old), 'another process runs');
      return until(async () => {
        const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/status/ready`).catch(() => undefined);
        return answer?.status === 200;
      }, 'it is ready');
    }
  }
}
