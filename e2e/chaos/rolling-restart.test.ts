import assert from 'node:assert/strict';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import { LoadClients } from '../../test-support/load-clients.ts';
import { isAlive, until, untilGone } from '../../test-support/running-instance.ts';
import { type RestartableInstance, startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import { type ChaosRun, chaosTest } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';

const CLIENTS_OF_EACH_KIND = 2;
/** Each may be found closed, before its request was read, once in a restart: clients send that again, as HTTP wants it. */
const KEPT_CONNECTIONS = 2 * CLIENTS_OF_EACH_KIND;
const SOME_REQUESTS = 150;
/** What a load balancer needs to see that a gateway is no longer ready. */
const DRAIN_DELAY_SECONDS = '1';

chaosTest({
  name: 'rolling-restart',
  promise: 'when all processes are restarted one after the other under load, no request fails',
  quickRounds: 1,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const controlPlane = await startControlPlane(chaos, { token: `a7ee-${random.hexadecimal()}` });
    const flags = ['--drain-delay', DRAIN_DELAY_SECONDS];
    const gateways = [await startGateway(chaos, controlPlane, { flags }), await startGateway(chaos, controlPlane, { flags })];
    const nodes = [{ host: '127.0.0.1', port: await startEchoUpstream(chaos), weight: 1 }];
    const plane = () => controlPlane.instance;
    await plane().admin('PUT', '/apisix/admin/services/echo', { name: 'echo', upstream: { nodes } });
    await plane().admin('PUT', '/apisix/admin/routes/echo', { name: 'echo', paths: ['/anything'], service_id: 'echo' });
    await untilCurrent(plane(), 2);
    await chaos.rounds(async (scope) => {
      for (const gateway of random.shuffle(gateways)) {
        await replaceUnderLoad(scope, gateway, chaos);
        await restartBehindBalancer(scope, gateway, chaos);
        await untilCurrent(plane(), 2);
      }
      const clients = startClients(scope, gateways[0]);
      await moreRequests(clients);
      assert.equal(await plane().stop(), 0);
      await moreRequests(clients);
      await controlPlane.start();
      tally.killed('control plane, restarted');
      await moreRequests(clients);
      await end(clients, chaos);
      await untilCurrent(plane(), 2);
    });
  },
});

interface Scope {
  after(task: () => unknown): void;
}

function startClients(scope: Scope, gateway: RestartableInstance | undefined): LoadClients {
  const clients = new LoadClients(gateway?.instance.ports.http ?? 0, '/anything');
  clients.start(CLIENTS_OF_EACH_KIND);
  scope.after(() => clients.stop());
  return clients;
}

async function moreRequests(clients: LoadClients): Promise<void> {
  const before = clients.total;
  await until(() => clients.total >= before + SOME_REQUESTS, 'the clients go on');
}

async function end(clients: LoadClients, { tally, figure }: ChaosRun): Promise<void> {
  await clients.stop();
  tally.requests += clients.total;
  for (const failure of clients.failures) tally.requestFailed(failure);
  figure('mostSentAgain', clients.kept.sentAgain + clients.pipelining.sentAgain, KEPT_CONNECTIONS);
}

/** A fresh gateway process beside the old one, for clients that know nothing of it. */
async function replaceUnderLoad(scope: Scope, gateway: RestartableInstance, chaos: ChaosRun): Promise<void> {
  const { instance } = gateway;
  const clients = startClients(scope, gateway);
  await moreRequests(clients);
  const old = instance.child('gateway');
  instance.process.kill('SIGUSR2');
  await untilGone(old);
  chaos.tally.killed('gateway process, replaced');
  await moreRequests(clients);
  await end(clients, chaos);
}

/** All processes of a gateway, for clients that leave when it says that it is not ready. */
async function restartBehindBalancer(scope: Scope, gateway: RestartableInstance, chaos: ChaosRun): Promise<void> {
  const { instance } = gateway;
  const clients = startClients(scope, gateway);
  await moreRequests(clients);
  const process = instance.child('gateway');
  const stopped = instance.stop();
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${instance.ports.status}/status/ready`).catch(() => undefined);
    return answer?.status === 503;
  }, 'it says that it stops');
  await end(clients, chaos);
  assert.ok(isAlive(process), 'the clients have left within the delay');
  assert.equal(await stopped, 0);
  await gateway.start();
  chaos.tally.killed('gateway with its supervisor, restarted');
}
