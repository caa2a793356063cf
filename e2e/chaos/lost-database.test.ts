import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres } from '../../test-support/postgres-server.ts';
import { type RunningInstance, until } from '../../test-support/running-instance.ts';
import { chaosTest } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { NotPossibleHere } from './not-possible-here.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';
import { startSeveralPlanes } from './several-planes.ts';

const GATEWAYS = 2;
const WRITERS = ['writer_0', 'writer_1', 'writer_2', 'writer_3'];
const SOME_WRITES = 8;
/** Longer than the lease by which control planes know that the others live. */
const LONG_MS = 16_000;
const SHORT_MS = 1_000;

chaosTest({
  name: 'lost-database',
  promise:
    'while the PostgreSQL of two control planes is away, both answer writes with 503 and Retry-After and gateways serve on; then both go on without a restart',
  quickRounds: 2,
  run: async (chaos) => {
    const { random, tally } = chaos;
    // A server of its own: it is killed.
    const database = await startPostgres({ settings: ['fsync=on'] });
    if (typeof database === 'string') throw new NotPossibleHere(database);
    chaos.after(() => database.stop());
    const several = await startSeveralPlanes(chaos, {
      environment: { DATABASE_URL: database.url, PORTCULLIS_DATABASE_SCHEMA: 'portcullis' },
      gateways: GATEWAYS,
      consumers: WRITERS,
    });
    const { gateways, steadyKey } = several;
    const planes = several.planes.map(({ plane }) => plane.instance);
    const processes = planes.map((plane) => plane.child('control-plane'));
    for (const plane of planes) await untilCurrent(plane, GATEWAYS);
    const ledger = new CredentialLedger();
    await chaos.rounds(async (scope, index) => {
      const writers = planes.map(
        (instance, place) =>
          new CredentialWriters({ instance, ledger, tally, random: random.fork(), consumers: WRITERS.slice(place * 2, place * 2 + 2) }),
      );
      const probes = gateways.map(
        ({ instance }) => new SettledKeysProbe({ port: instance.ports.http, ledger, tally, random: random.fork(), steadyKey }),
      );
      const end = () => Promise.all([...writers, ...probes].map((each) => each.stop()));
      scope.after(end);
      await until(() => writers.every(({ acknowledged }) => acknowledged >= SOME_WRITES), 'all writers are at work', 30_000);
      const isKilled = index % 2 === 0;
      await (isKilled ? database.kill() : database.stop());
      tally.killed(isKilled ? 'PostgreSQL, killed' : 'PostgreSQL, stopped');
      for (const plane of planes) await expectUnavailable(plane);
      await pause(random.integer(0, SHORT_MS) + (isKilled ? LONG_MS : 0));
      for (const plane of planes) await expectUnavailable(plane);
      await database.start();
      const backMs = performance.now();
      const then = writers.map(({ acknowledged }) => acknowledged);
      await until(
        () => writers.every(({ acknowledged }, place) => acknowledged >= (then[place] ?? 0) + SOME_WRITES),
        'writes go on through both',
        30_000,
      );
      chaos.figure('longestUntilWritesGoOnMs', performance.now() - backMs, 5_000);
      await end();
      for (const code of probes.flatMap(({ unanswered }) => unanswered)) tally.requestFailed(`PostgreSQL away: ${code}`);
      for (const plane of planes) await untilCurrent(plane, GATEWAYS);
      for (const [place, { instance }] of gateways.entries()) {
        const plane = planes[place % planes.length];
        assert.ok(plane !== undefined);
        await checkLedger({ instance: plane, gatewayPort: instance.ports.http, ledger, tally, random }, WRITERS);
      }
      assert.deepEqual(
        planes.map((plane) => plane.child('control-plane')),
        processes,
        'no control plane was restarted',
      );
    });
  },
});

async function expectUnavailable(plane: RunningInstance): Promise<void> {
  const answer = await plane.admin('PUT', '/apisix/admin/consumers/barrier', { username: 'barrier' });
  assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1'], JSON.stringify(answer.body));
}
