import { startHostileDatabaseWire } from '../../test-support/hostile-wire.ts';
import { ownSchema } from '../../test-support/own-schema.ts';
import { postgresForTests } from '../../test-support/postgres-server.ts';
import { until } from '../../test-support/running-instance.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { NotPossibleHere } from './not-possible-here.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';
import { connectedTo, startSeveralPlanes } from './several-planes.ts';

const GATEWAYS = 3;
const WRITERS = ['writer_0', 'writer_1'];
const SOME_WRITES = 8;
/** What is left of a control plane's lease when the last renewal was two seconds ago: until then answers name who has not moved. */
const MOVE_LIMIT_MS = 13_000;

chaosTest({
  name: 'cut-off-control-plane',
  promise:
    'when one of two control planes is cut off from the database and goes on running, its gateways leave it for the other, through which every write is acknowledged; when it is back both go on',
  quickRounds: 1,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const postgres = await postgresForTests();
    if (postgres.kind === 'none') throw new NotPossibleHere(postgres.reason);
    const wires = [await startHostileDatabaseWire(chaos, postgres.url), await startHostileDatabaseWire(chaos, postgres.url)] as const;
    const { planes, gateways, steadyKey } = await startSeveralPlanes(chaos, {
      environment: ownSchema(chaos, postgres.url),
      databaseUrls: [wires[0].through(postgres.url), wires[1].through(postgres.url)],
      gateways: GATEWAYS,
      consumers: WRITERS,
    });
    const ledger = new CredentialLedger();
    await chaos.rounds(async (scope, index) => {
      // In every round but the first all gateways are at the one that is cut off: they left the other the last time.
      const place = index % 2;
      const [cutOff, other] = place === 0 ? planes : [planes[1], planes[0]];
      const wire = wires[place];
      scope.after(() => wire?.use('open'));
      const writers = new CredentialWriters({ instance: other.plane.instance, ledger, tally, random: random.fork(), consumers: WRITERS });
      const probes = gateways.map(({ instance }) => {
        return new SettledKeysProbe({ port: instance.ports.http, ledger, tally, random: random.fork(), steadyKey });
      });
      const end = () => Promise.all([writers, ...probes].map((each) => each.stop()));
      scope.after(end);
      await until(() => writers.acknowledged >= SOME_WRITES, 'the writers are at work', 30_000);
      const fault = random.pick(['cut', 'half-open'] as const);
      const cutMs = performance.now();
      wire?.use(fault);
      tally.killed(`database of a control plane, ${fault}`);
      await until(async () => (await connectedTo(other)) === GATEWAYS, 'all gateways are at the other', 60_000);
      chaos.figure('longestMoveMs', performance.now() - cutMs, MOVE_LIMIT_MS);
      const then = writers.acknowledged;
      await until(() => writers.acknowledged >= then + SOME_WRITES, 'writes go on through the other');
      await untilCurrent(other.plane.instance, GATEWAYS);
      wire?.use('open');
      await end();
      if (writers.refused > 0)
        tally.requestFailed(`${writers.refused} writes through the control plane that has the database were refused`);
      for (const code of probes.flatMap(({ unanswered }) => unanswered)) tally.requestFailed(`a control plane cut off: ${code}`);
      for (const { plane } of planes) await untilCurrent(plane.instance, GATEWAYS);
      for (const { instance } of gateways)
        await checkLedger({ instance: cutOff.plane.instance, gatewayPort: instance.ports.http, ledger, tally, random }, WRITERS);
    });
  },
});
