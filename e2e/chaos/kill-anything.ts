import path from 'node:path';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import type { StartedPostgres } from '../../test-support/postgres-server.ts';
import { RunningInstance, until } from '../../test-support/running-instance.ts';
import type { SeededRandom } from '../../test-support/seeded-random.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import type { ChaosRun } from './chaos-test.ts';
import { checkLedger, untilCurrent } from './check-ledger.ts';
import { CredentialLedger } from './credential-ledger.ts';
import { CredentialWriters } from './credential-writers.ts';
import { publishGuardedRoute } from './guarded-route.ts';
import { ENDS_INSTANCE, type KillKind, kill, REACHES_GATEWAY } from './kill-kinds.ts';
import { SettledKeysProbe } from './settled-keys-probe.ts';

const WRITERS = ['writer_0', 'writer_1', 'writer_2', 'writer_3'];
const FEW_WRITES = 12;
/**
 * A gateway process that is killed again within ten seconds counts as crashed by its newest revisions, and starts without them on purpose
 * (docs/decisions/0002): that is another promise than this one.
 */
const BETWEEN_GATEWAY_KILLS_MS = 15_000;

/**
 * Writers create, exchange and revoke keys; in the middle of it something is killed; then everything is there, in the store and at the gateway.
 * Each round goes on with the store of the one before.
 */
export async function killAnything(chaos: ChaosRun, database: StartedPostgres | undefined): Promise<void> {
  const { random, tally } = chaos;
  const ledger = new CredentialLedger();
  const upstreamPort = await startEchoUpstream(chaos);
  const start = await prepareStart(chaos, database);
  let instance = await start();
  chaos.after(() => instance.killEverything());
  await publishGuardedRoute(instance, upstreamPort, [...WRITERS, 'steady', 'barrier']);
  const steadyKey = random.hexadecimal();
  await instance.admin('PUT', '/apisix/admin/consumers/steady/credentials/steady', { plugins: { 'key-auth': { key: steadyKey } } });
  await untilCurrent(instance);
  const chooseKind = kindChooser(random, database !== undefined);

  await chaos.rounds(async (scope) => {
    const kind = chooseKind();
    const writers = new CredentialWriters({ instance, ledger, tally, random: random.fork(), consumers: WRITERS });
    const probe = new SettledKeysProbe({ port: instance.ports.http, ledger, tally, random: random.fork(), steadyKey });
    scope.after(() => Promise.all([writers.stop(), probe.stop()]));
    await until(() => writers.acknowledged >= FEW_WRITES, 'the writers are at work', 30_000);
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 150)));
    await kill(kind, instance, database);
    tally.killed(kind);
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 300)));
    await Promise.all([writers.stop(), probe.stop()]);
    // Whoever talks to what is killed loses at most what was in flight; the others lose nothing.
    if (!REACHES_GATEWAY.has(kind)) for (const code of probe.unanswered) tally.requestFailed(`${kind} killed: ${code}`);
    if (ENDS_INSTANCE.has(kind)) instance = await start();
    await untilCurrent(instance);
    await checkLedger({ instance, ledger, tally, random }, WRITERS);
  });
}

/** Starts the instance in its folder, with the same token and ports of the first time where clients know them. */
async function prepareStart(chaos: ChaosRun, database: StartedPostgres | undefined): Promise<() => Promise<RunningInstance>> {
  const dataFolder = await temporaryFolder(chaos);
  const environment = { PORTCULLIS_TEST_HOOKS: '1', ...(database === undefined ? {} : { DATABASE_URL: database.url }) };
  const limits = ['--admin-requests-per-user', '0', '--admin-requests-per-address', '0'];
  const options = { dataFolder, environment, flags: ['--no-demo', '--log-file', path.join(dataFolder, 'chaos.log'), ...limits] };
  const token = `a7ee-${chaos.random.hexadecimal()}`;
  return () => RunningInstance.start(options, token);
}

/** Each kind comes once before any comes again. */
function kindChooser(random: SeededRandom, hasDatabase: boolean): () => KillKind {
  const kinds: readonly KillKind[] = [
    'control plane',
    'gateway',
    'worker',
    'supervisor',
    'everything',
    ...(hasDatabase ? ['database' as const] : []),
  ];
  let left: KillKind[] = [];
  let gatewayKilledMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (left.length === 0) left = random.shuffle(kinds);
    const isTooSoon = performance.now() - gatewayKilledMs < BETWEEN_GATEWAY_KILLS_MS;
    const index = left.findIndex((kind) => !(kind === 'gateway' && isTooSoon));
    const [kind] = left.splice(Math.max(0, index), 1);
    if (kind === 'gateway') gatewayKilledMs = performance.now();
    return index === -1 || kind === undefined ? 'everything' : kind;
  };
}
