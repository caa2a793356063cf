import assert from 'node:assert/strict';
import path from 'node:path';
import { startEchoUpstream } from '../../test-support/echo-upstream.ts';
import type { DatabaseEnvironment } from '../../test-support/own-schema.ts';
import { queryPostgres } from '../../test-support/postgres-server.ts';
import { type RestartableInstance, startControlPlane, startGateway } from '../../test-support/separate-planes.ts';
import type { ChaosRun } from './chaos-test.ts';
import { untilCurrent } from './check-ledger.ts';
import { publishGuardedRoute } from './guarded-route.ts';

/** A control plane, and what the others call it. */
export interface NamedPlane {
  readonly plane: RestartableInstance;
  /** Another one with each start of its process. */
  readonly id: string;
  /** @throws Error when it does not become ready */
  start(): Promise<void>;
}

/** Two control planes on one database, and gateways that know both. */
export interface SeveralPlanes {
  readonly planes: readonly [NamedPlane, NamedPlane];
  readonly gateways: readonly RestartableInstance[];
  /** Of the consumer `steady`, whom nobody writes. */
  readonly steadyKey: string;
}

/** Starts them, with a guarded route, the consumers that are named, and everything in force at all gateways. */
export async function startSeveralPlanes(
  chaos: ChaosRun,
  options: {
    readonly environment: DatabaseEnvironment;
    /** By which way each reaches the database, where not by that of the environment. */
    readonly databaseUrls?: readonly [string, string];
    readonly gateways: number;
    readonly consumers: readonly string[];
  },
): Promise<SeveralPlanes> {
  const { environment, consumers } = options;
  const [firstUrl, secondUrl] = options.databaseUrls ?? [environment.DATABASE_URL, environment.DATABASE_URL];
  const token = `a7ee-${chaos.random.hexadecimal()}`;
  const first = await startControlPlane(chaos, { token, environment: { ...environment, DATABASE_URL: firstUrl } });
  const namedFirst = await named(first, environment);
  const keyring = path.join(first.dataFolder, 'keyring.json');
  const second = await startControlPlane(chaos, {
    token,
    environment: { ...environment, DATABASE_URL: secondUrl },
    flags: ['--keyring-file', keyring],
  });
  const both = [namedFirst, await named(second, environment, [namedFirst.id])] as const;
  const syncPorts = [first, second].map(({ instance }) => instance.ports.sync);
  const gateways: RestartableInstance[] = [];
  while (gateways.length < options.gateways) gateways.push(await startGateway(chaos, first, { syncPorts, environment }));
  await publishGuardedRoute(first.instance, await startEchoUpstream(chaos), [...consumers, 'steady', 'barrier']);
  const steadyKey = chaos.random.hexadecimal();
  const given = await first.instance.admin('PUT', '/apisix/admin/consumers/steady/credentials/steady', {
    plugins: { 'key-auth': { key: steadyKey } },
  });
  assert.equal(given.status, 200, JSON.stringify(given.body));
  for (const { instance } of [first, second]) await untilCurrent(instance, gateways.length);
  return { planes: both, gateways, steadyKey };
}

/** How many gateways are connected to this control plane, by what it lists itself. */
export async function connectedTo({ plane, id }: NamedPlane): Promise<number> {
  const answer = await plane.instance.admin('GET', '/api/gateway_groups/default/instances');
  const { list } = answer.body as { readonly list: readonly { readonly status: string; readonly control_plane: string }[] };
  return list.filter((each) => each.control_plane === id && (each.status === 'Healthy' || each.status === 'OutOfSync')).length;
}

/** It has just started: its name is the one that is not among those that were known before. */
async function named(plane: RestartableInstance, environment: DatabaseEnvironment, others: readonly string[] = []): Promise<NamedPlane> {
  let id = await newName(environment, others);
  return {
    plane,
    get id() {
      return id;
    },
    async start() {
      const before = await namesIn(environment);
      await plane.start();
      id = await newName(environment, before);
    },
  };
}

async function newName(environment: DatabaseEnvironment, before: readonly string[]): Promise<string> {
  const added = (await namesIn(environment)).filter((id) => !before.includes(id));
  assert.equal(added.length, 1, 'one control plane has started');
  return String(added[0]);
}

async function namesIn({ DATABASE_URL, PORTCULLIS_DATABASE_SCHEMA }: DatabaseEnvironment): Promise<readonly string[]> {
  const rows = await queryPostgres(DATABASE_URL, `SELECT id FROM ${PORTCULLIS_DATABASE_SCHEMA}.control_planes`);
  return rows.map(({ id }) => String(id));
}
