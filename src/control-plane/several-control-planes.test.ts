import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { freshSchemaName, queryPostgres } from '../../test-support/postgres-server.ts';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { withPostgres } from '../../test-support/with-postgres.ts';
import { type ConfigurationApplier, Journal, Subscriber } from '../distribution/gateway-side.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { PostgresStoreOptions } from '../store/index.ts';
import { type RunningControlPlane, startControlPlane } from './index.ts';
import { REQUEST_RATES } from './testing/request-rates.ts';

const LOCAL = { kind: 'address', host: '127.0.0.1', port: 0 } as const;
const TOKEN = 'given-by-the-operator';

interface Plane {
  readonly running: RunningControlPlane;
  readonly folder: string;
  readonly log: RecordingLogger;
}

/** A database that several control planes of the test share. */
async function makeInstallation(t: TestContext, url: string) {
  const keys = await temporaryFolder(t);
  const schema = freshSchemaName();
  const database: PostgresStoreOptions = { url, schema, connections: 4, timeoutMs: 5_000, statementTimeoutMs: 15_000, patienceMs: 0 };
  const planes: RunningControlPlane[] = [];
  t.after(async () => {
    await Promise.all(planes.map((plane) => plane.drain(500)));
    await queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });
  const start = async (): Promise<Plane> => {
    const folder = await temporaryFolder(t);
    const log = new RecordingLogger();
    const running = await startControlPlane({
      compareIntervalMs: 0,
      metricsListeners: [],
      dataFolder: folder,
      database,
      keyringFile: path.join(keys, 'keyring.json'),
      retention: { versionDays: 90, versionMebibytes: 1_024, auditDays: 180, auditMebibytes: 1_024 },
      adminListeners: [LOCAL],
      syncListeners: [LOCAL],
      gatewayUrls: [],
      adminTls: undefined,
      adminAllow: [],
      adminTrustedAddresses: [],
      requestRates: REQUEST_RATES,
      dial: { allow: [], deny: [] },
      bootstrapToken: TOKEN,
      adminPassword: 'password',
      softwareVersion: '1.2.3',
      clock: systemClock,
      random: systemRandom,
      log,
    });
    planes.push(running);
    return { running, folder, log };
  };
  return { start, schema };
}

async function send(plane: Plane, method: string, target: string, body?: unknown) {
  const ca = await readFile(path.join(plane.folder, 'admin-tls.crt'));
  const headers = { 'x-api-key': TOKEN, 'content-type': 'application/json', prefer: 'wait=20' };
  const port = plane.running.adminAddresses[0]?.port;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; applied: unknown; body: Record<string, unknown> }>();
  const request = httpsRequest({ agent: false, ca, host: '127.0.0.1', port, method, path: target, headers }, async (response) => {
    let text = '';
    for await (const chunk of response) text += String(chunk);
    resolve({ status: response.statusCode ?? 0, applied: response.headers['portcullis-applied'], body: JSON.parse(text) });
  });
  request.on('error', reject);
  request.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

function putConsumer(plane: Plane, name: string) {
  return send(plane, 'PUT', `/apisix/admin/consumers/${name}?gateway_group_id=default`, { username: name });
}

/** A gateway without workers. */
async function startGateway(t: TestContext, planes: readonly Plane[], instanceId: string) {
  const groupId = 'default';
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const [first] = planes;
  assert.ok(first);
  const issued = await first.running.issueInstanceCertificate({ groupId, instanceId, publicKey });
  const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const log = new RecordingLogger();
  const counts = { snapshots: 0, current: -1 };
  const applier: ConfigurationApplier = {
    loadSnapshot: async (items) => {
      for await (const batch of items) void batch;
      counts.snapshots += 1;
    },
    applyDelta: async () => undefined,
  };
  const journal = await Journal.open({ folder: await temporaryFolder(t), groupId, allowOlder: false, random: systemRandom, log });
  const subscriber = new Subscriber({
    ...{ journal, log, applier, clock: systemClock, random: systemRandom, previousEnd: 'none', softwareVersion: '1.2.3' },
    controlPlanes: planes.map(({ running }) => ({ host: '127.0.0.1', port: running.syncPorts[0] ?? 0 })),
    identity: { groupId, instanceId, privateKey, certificate: issued.certificate, authority: issued.authority },
    facts: { hostname: 'gateway.example', cores: 2, workers: 1 },
    onCurrent: (revision) => {
      counts.current = revision;
    },
  });
  t.after(async () => {
    await subscriber.stop();
    await journal.close();
  });
  await subscriber.start();
  return { counts, subscriber };
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`this never came true: ${what}`);
    await setImmediate();
  }
}

async function inventory(plane: Plane): Promise<readonly Record<string, unknown>[]> {
  const { status, body } = await send(plane, 'GET', '/api/gateway_groups/default/instances');
  assert.equal(status, 200);
  return Array.isArray(body.list) ? body.list : [];
}

withPostgres(
  'a write through one control plane waits for the gateways of the other, and a gateway that moves gets a delta',
  async (t, url) => {
    const { start } = await makeInstallation(t, url);
    const first = await start();
    const second = await start();
    const atSecond = await startGateway(t, [second], 'gw-1');
    await until(async () => (await inventory(first))[0]?.status === 'Healthy', 'gw-1 is healthy');
    assert.deepEqual(
      (await inventory(first)).map(({ id, hostname, cores, version, lag }) => ({ id, hostname, cores, version, lag })),
      [{ id: 'gw-1', hostname: 'gateway.example', cores: 2, version: '1.2.3', lag: 0 }],
    );
    for (let number = 1; number <= 5; number += 1) {
      const written = await putConsumer(first, `c${number}`);
      assert.deepEqual([written.status, written.applied], [200, '1/1']);
      assert.equal(atSecond.counts.current, number);
    }

    const moving = await startGateway(t, [first, second], 'gw-2');
    await until(() => moving.counts.current === 5, 'gw-2 is current');
    await until(async () => (await inventory(first)).every(({ status }) => status === 'Healthy'), 'both are healthy');
    assert.deepEqual((await putConsumer(first, 'c6')).applied, '2/2');
    const { snapshots } = moving.counts;
    const [, entry] = await inventory(first);
    const [atFirst] = await inventory(first).then((list) => list.filter(({ id }) => id === 'gw-1'));
    const isAtSecond = entry?.control_plane === atFirst?.control_plane;
    const [own, other] = isAtSecond ? [second, first] : [first, second];
    const beganMs = performance.now();
    await own.running.drain(100);
    await until(
      async () =>
        (await inventory(other)).some(
          ({ id, control_plane, status }) => id === 'gw-2' && control_plane !== entry?.control_plane && status === 'Healthy',
        ),
      'gw-2 moved',
    );
    t.diagnostic(`moved after ${Math.round(performance.now() - beganMs)} ms, drain included`);
    const written = await putConsumer(other, 'c7');
    assert.equal(written.applied, isAtSecond ? '1/1' : '2/2');
    assert.equal(moving.counts.current, 7);
    assert.equal(moving.counts.snapshots, snapshots);
  },
);

withPostgres('five control planes that start at once migrate once; ten writers at each of two make one history', async (t, url) => {
  const { start } = await makeInstallation(t, url);
  const planes = await Promise.all(Array.from({ length: 5 }, () => start()));
  const [first, second] = planes;
  assert.ok(first && second);
  const gateway = await startGateway(t, planes, 'gw-1');
  await until(() => gateway.counts.current === 0, 'the gateway is current');
  const writes = [first, second].flatMap((plane, index) =>
    Array.from({ length: 10 }, (_, number) => putConsumer(plane, `w${index}-${number}`)),
  );
  const answers = await Promise.all(writes);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(await first.running.groupRevision('default'), 20);
  await until(() => gateway.counts.current === 20, 'the gateway has all');
});

withPostgres('a control plane that died without a word keeps nobody waiting for long', async (t, url) => {
  const { start, schema } = await makeInstallation(t, url);
  const first = await start();
  await queryPostgres(
    url,
    `INSERT INTO ${schema}.control_planes VALUES ('dead', 'h', 'another place', now(), now() + interval '1 hour');
     INSERT INTO ${schema}.gateway_instances VALUES ('default', 'gw-9', 'dead', 1, true,
       '{"groupId":"default","instanceId":"gw-9","connectionId":1,"isConnected":true,"isAwaited":true,"state":"current","revision":0,"answeredRevision":0,"softwareVersion":"1","connectedAtMs":0}', now() - interval '3 hours')`,
  );
  assert.equal((await putConsumer(first, 'c1')).applied, '0/0');
  assert.deepEqual(
    (await inventory(first)).map(({ status }) => status),
    ['LostConnection'],
  );
});
