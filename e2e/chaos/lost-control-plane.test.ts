import assert from 'node:assert/strict';
import { ownSchema } from '../../test-support/own-schema.ts';
import { postgresForTests } from '../../test-support/postgres-server.ts';
import { until } from '../../test-support/running-instance.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { NotPossibleHere } from './not-possible-here.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';
import { connectedTo, type NamedPlane, startSeveralPlanes } from './several-planes.ts';

const GATEWAYS = 3;
const THROUGH_KILLED = ['writer_0', 'writer_1'];
const THROUGH_OTHER = ['writer_2', 'writer_3'];
const SOME_WRITES = 8;
/** What docs/control-planes.md says. */
const MOVE_LIMIT_MS = 1_000;
/** The lease of a control plane, and a wait that may have begun before it was over. */
const UNCOUNTED_LIMIT_MS = 17_000;

chaosTest({
  name: 'lost-control-plane',
  promise:
    'when one of two control planes is killed its gateways go to the other, through which every write is acknowledged; after its lease nobody counts what went with it',
  quickRounds: 2,
  run: async (chaos) => {
    const { random, tally } = chaos;
    const postgres = await postgresForTests();
    if (postgres.kind === 'none') throw new NotPossibleHere(postgres.reason);
    const consumers = [...THROUGH_KILLED, ...THROUGH_OTHER];
    const { planes, gateways, steadyKey } = await startSeveralPlanes(chaos, {
      environment: ownSchema(chaos, postgres.url),
      gateways: GATEWAYS,
      consumers,
    });
    const ledger = new CredentialLedger();
    await chaos.rounds(async (scope, index) => {
      // All gateways are at the one that was left the last time: in every round but the first it is the one that is killed.
      const [killed, other] = index % 2 === 0 ? planes : [planes[1], planes[0]];
      const [lost, ...kept] = random.shuffle(gateways);
      assert.ok(lost !== undefined);
      const losesGateway = index % 2 === 1;
      const through = ({ plane }: NamedPlane, names: readonly string[]) =>
        new CredentialWriters({ instance: plane.instance, ledger, tally, random: random.fork(), consumers: names });
      const writers = [through(killed, THROUGH_KILLED), through(other, THROUGH_OTHER)] as const;
      const probes = kept.map(
        ({ instance }) => new SettledKeysProbe({ port: instance.ports.http, ledger, tally, random: random.fork(), steadyKey }),
      );
      scope.after(() => Promise.all([...writers, ...probes].map((each) => each.stop())));
      await until(() => writers.every(({ acknowledged }) => acknowledged >= SOME_WRITES), 'all writers are at work', 30_000);
      const before = await connectedTo(other);
      const killedMs = performance.now();
      if (losesGateway) {
        await Promise.all([killed.plane.instance.killEverything(), lost.instance.killEverything()]);
        tally.killed('control plane with a gateway, all processes');
      } else {
        await killed.plane.instance.killEverything();
        tally.killed('control plane, all processes');
      }
      const present = losesGateway ? GATEWAYS - 1 : GATEWAYS;
      await until(async () => (await connectedTo(other)) >= present, 'its gateways are at the other');
      if (before < GATEWAYS) chaos.figure('longestMoveMs', performance.now() - killedMs, MOVE_LIMIT_MS);
      const then = writers[1].acknowledged;
      await until(() => writers[1].acknowledged >= then + SOME_WRITES, 'writes go on through the other');
      // As long as the lease of the dead one runs, what went with it is named as lagging.
      await untilCurrent(other.plane.instance, present);
      chaos.figure('longestUntilUncountedMs', performance.now() - killedMs, UNCOUNTED_LIMIT_MS);
      await Promise.all([...writers, ...probes].map((each) => each.stop()));
      const refused = writers[1].attempts - writers[1].acknowledged;
      if (refused > 0) tally.requestFailed(`${refused} writes through the control plane that lives were not acknowledged`);
      for (const code of probes.flatMap(({ unanswered }) => unanswered)) tally.requestFailed(`a control plane killed: ${code}`);
      if (losesGateway) await lost.start();
      await killed.start();
      for (const { plane } of planes) await untilCurrent(plane.instance, GATEWAYS);
      for (const { instance } of gateways)
        await checkLedger({ instance: killed.plane.instance, gatewayPort: instance.ports.http, ledger, tally, random }, consumers);
    });
  },
});
