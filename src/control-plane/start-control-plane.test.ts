import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connect } from 'node:tls';
import { RecordingLogger } from '../../test-support/recording-logger.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { StartError } from '../errors/index.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { type ControlPlaneOptions, createApiToken, openControlPlaneStore, type RunningControlPlane, startControlPlane } from './index.ts';
import { REQUEST_RATES } from './testing/request-rates.ts';

const LOCAL = { kind: 'address', host: '127.0.0.1', port: 0 } as const;
const TOKEN = 'given-by-the-operator';

const GUIDE = [
  [
    'services/s1',
    { name: 's1', upstream: { type: 'roundrobin', scheme: 'http', nodes: [{ host: 'httpbin.org', port: 80, weight: 100 }] } },
  ],
  [
    'routes/r1',
    { name: 'r1', paths: ['/anything/key-auth'], methods: ['GET'], service_id: 's1', plugins: { 'key-auth': { header: 'apikey' } } },
  ],
  ['consumers/jack', { username: 'jack' }],
  ['consumers/jack/credentials/c1', { name: 'c1', plugins: { 'key-auth': { key: 'secret-api-key' } } }],
] as const;

async function start(t: TestContext, folder: string, change: Partial<ControlPlaneOptions> = {}) {
  const log = new RecordingLogger();
  const controlPlane = await startControlPlane({
    compareIntervalMs: 0,
    metricsListeners: [],
    dataFolder: folder,
    retention: { versionDays: 90, versionMebibytes: 1_024, auditDays: 180, auditMebibytes: 1_024 },
    keyringFile: path.join(folder, 'keyring.json'),
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
    ...change,
  });
  t.after(() => controlPlane.drain(1_000));
  return { controlPlane, log };
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A client that trusts exactly the certificate in the data folder. */
async function client(t: TestContext, folder: string, controlPlane: RunningControlPlane, token = TOKEN) {
  const agent = new Agent({ keepAlive: true, ca: await readFile(path.join(folder, 'admin-tls.crt')) });
  t.after(() => agent.destroy());
  return async (method: string, target: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> => {
    const request = httpsRequest({
      ...{ agent, host: '127.0.0.1', port: controlPlane.adminAddresses[0]?.port, method, path: target },
      headers: { 'x-api-key': token, 'content-type': 'application/json', ...headers },
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(request, 'response');
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, headers: response.headers, body: text };
  };
}

const admin = (target: string) => `/apisix/admin/${target}?gateway_group_id=default`;

test('the guide works over HTTPS, and a restart keeps all', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  assert.deepEqual(controlPlane.firstStart, { username: 'admin', password: undefined, token: undefined, tokenExpiresAt: 0 });
  const send = await client(t, folder, controlPlane);
  for (const [target, body] of GUIDE) {
    const answer = await send('PUT', admin(target), body);
    assert.equal(answer.status, 200, answer.body);
    assert.equal(answer.headers['portcullis-applied'], '0/0');
    assert.equal(answer.headers['portcullis-version'], '1.2.3');
  }
  assert.equal(await controlPlane.groupRevision('default'), 4);
  await controlPlane.drain(1_000);
  const again = await start(t, folder, { bootstrapToken: undefined });
  assert.equal(again.controlPlane.firstStart, undefined);
  assert.equal(await again.controlPlane.groupRevision('default'), 4);
  const sendAgain = await client(t, folder, again.controlPlane);
  const read = await sendAgain('GET', admin('consumers/jack/credentials/c1'));
  assert.equal(JSON.parse(read.body).value.plugins['key-auth'].key, 'secret-api-key');
  for (const file of ['store.sqlite', 'keyring.json', 'admin-tls.key'])
    assert.equal((await stat(path.join(folder, file))).mode & 0o777, 0o600);
});

test('an answer waits until a connected gateway has the change in force, and says so', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  const gateway = await connectGateway(t, controlPlane);
  const send = await client(t, folder, controlPlane);
  await gateway.whenWelcome;
  // The instance is waited for once it is current, which the first change shows.
  const first = await send('PUT', admin('consumers/jack'), { username: 'jack' }, { prefer: 'wait=30' });
  assert.equal(first.status, 200);
  for (let revision = 2; revision < 6; revision += 1) {
    const answer = await send('PUT', admin(`consumers/u${revision}`), { username: `u${revision}` }, { prefer: 'wait=30' });
    assert.deepEqual([answer.headers['portcullis-revision'], answer.headers['portcullis-applied']], [String(revision), '1/1']);
  }
  gateway.obeys = false;
  const late = await send('DELETE', admin('consumers/jack'), undefined, { prefer: 'wait=1' });
  assert.deepEqual([late.status, late.headers['portcullis-applied']], [200, '0/1; lagging=gw-1']);
});

test('no clear API key leaves the control plane, in a delta or in a snapshot, wherever it was written; secret providers do, with their secrets', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  const send = await client(t, folder, controlPlane);
  const early = await connectGateway(t, controlPlane);
  await early.whenWelcome;
  const clear = (name: string) => `clear-key-${name}`;
  const mistaken = { 'key-auth': { key: clear('mistaken') } };
  for (const [target, body] of [
    ['consumers/jack', { username: 'jack', plugins: { 'key-auth': { key: clear('inline') } } }],
    ['consumers/jack/credentials/c1', { plugins: { 'key-auth': { key: clear('credential') } } }],
    ['consumers/jack/credentials/c2', { plugins: { 'key-auth': { key: clear('disabled'), _meta: { disable: true } } } }],
    ['services/s1', { name: 's1', plugins: mistaken }],
    ['routes/r1', { name: 'r1', paths: ['/'], service_id: 's1', plugins: mistaken }],
    ['global_rules/key-auth', { plugins: mistaken }],
    ['secret_providers/vault/1', { uri: 'https://vault.example', prefix: 'kv', token: 'token-of-vault' }],
  ] as const) {
    const answer = await send('PUT', admin(target), body, { prefer: 'wait=30' });
    assert.deepEqual([answer.status, answer.headers['portcullis-applied']], [200, '1/1'], answer.body);
  }
  const late = await connectGateway(t, controlPlane, 'gw-2');
  await late.whenLoaded;
  for (const { texts } of [early, late]) {
    const all = texts.join();
    for (const name of ['jack', 'c1', 'c2', 's1', 'r1', 'global_rule']) assert.ok(all.includes(name), name);
    assert.ok(!all.includes('clear-key') && all.includes('token-of-vault'));
  }
});

/** The least that a gateway says: hello, and `applied` to everything. */
async function connectGateway(t: TestContext, controlPlane: RunningControlPlane, instanceId = 'gw-1') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const issued = await controlPlane.issueInstanceCertificate({ groupId: 'default', instanceId, publicKey });
  assert.ok(issued.expiresAtMs > Date.now());
  const { authority: ca, certificate: cert } = issued;
  const socket = connect({ host: '127.0.0.1', port: controlPlane.syncPorts[0] ?? 0, ca, cert, key: privateKey });
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  const send = (message: object) => {
    const body = Buffer.from(JSON.stringify(message));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    socket.write(Buffer.concat([head, body]));
  };
  socket.write('GET /sync HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: portcullis-sync\r\n\r\n');
  const welcome = Promise.withResolvers<void>();
  const texts: string[] = [];
  const loaded = Promise.withResolvers<void>();
  const gateway = { obeys: true, whenWelcome: welcome.promise, whenLoaded: loaded.promise, texts };
  let received = Buffer.alloc(0);
  let isUpgraded = false;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (!isUpgraded) {
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      isUpgraded = true;
      received = received.subarray(end + 4);
      send({ kind: 'hello', protocol: 1, oldestProtocol: 1, softwareVersion: '1.2.3', revision: 0 });
    }
    while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
      const length = received.readUInt32BE(0);
      const text = received.subarray(4, 4 + length).toString();
      gateway.texts.push(text);
      const message = JSON.parse(text);
      received = received.subarray(4 + length);
      if (message.kind === 'welcome') welcome.resolve();
      if (message.kind === 'snapshot-end') loaded.resolve();
      const revision = message.kind === 'delta' ? message.toRevision : message.kind === 'snapshot-end' ? message.revision : undefined;
      if (revision !== undefined && gateway.obeys) send({ kind: 'applied', revision, outcome: 'applied' });
    }
  });
  return gateway;
}

test('certificates are for groups that exist', async (t) => {
  const { controlPlane } = await start(t, await temporaryFolder(t));
  const { publicKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  await assert.rejects(
    controlPlane.issueInstanceCertificate({ groupId: 'other', instanceId: 'gw', publicKey }),
    /no gateway group "other"/,
  );
  await assert.rejects(controlPlane.groupRevision('other'), /no gateway group other/);
});

test('the command line makes a token beside the running control plane', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  const store = await openControlPlaneStore({
    dataFolder: folder,
    keyringFile: path.join(folder, 'keyring.json'),
    clock: systemClock,
    random: systemRandom,
  });
  t.after(() => store.close());
  const author = { id: 'cli', name: 'command line' };
  const { token } = await createApiToken({
    store,
    clock: systemClock,
    random: systemRandom,
    name: 'new',
    username: undefined,
    expiresInDays: 1,
    author,
  });
  const send = await client(t, folder, controlPlane, token);
  assert.equal((await send('GET', '/api/gateway_groups')).status, 200);
});

test('a generated password and token are told once and are not logged', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane, log } = await start(t, folder, { bootstrapToken: undefined, adminPassword: undefined });
  const { token, password } = controlPlane.firstStart ?? {};
  assert.ok(token !== undefined && password !== undefined);
  const send = await client(t, folder, controlPlane, token);
  assert.equal((await send('GET', '/api/version')).status, 200);
  const lines = JSON.stringify(log.lines);
  assert.ok(!lines.includes(token) && !lines.includes(password));
});

test('a start that cannot succeed leaves nothing open', async (t) => {
  const { controlPlane } = await start(t, await temporaryFolder(t));
  const port = controlPlane.adminAddresses[0]?.port ?? 0;
  const folder = await temporaryFolder(t);
  await assert.rejects(start(t, folder, { adminTls: { certificateFile: '/nonexistent', keyFile: '/nonexistent' } }), StartError);
  await assert.rejects(start(t, folder, { bootstrapToken: 'short' }), StartError);
  await assert.rejects(start(t, folder, { adminListeners: [{ ...LOCAL, port }] }), StartError);
  await assert.rejects(start(t, folder, { syncListeners: [{ ...LOCAL, port }] }), StartError);
  const working = await start(t, folder);
  const send = await client(t, folder, working.controlPlane);
  assert.equal((await send('GET', '/api/version')).status, 200);
});

test('a drain may be asked for twice', async (t) => {
  const { controlPlane } = await start(t, await temporaryFolder(t));
  await Promise.all([controlPlane.drain(1_000), controlPlane.drain(1_000)]);
});

test('the first sign-in removes the file with the first secrets', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  const file = path.join(folder, 'first-start.txt');
  await writeFile(file, 'secrets');
  const send = await client(t, folder, controlPlane);
  assert.equal((await send('POST', '/api/login', { username: 'admin', password: 'wrong' })).status, 401);
  assert.ok(existsSync(file));
  assert.equal((await send('POST', '/api/login', { username: 'admin', password: 'password' })).status, 200);
  // Removed beside the answer, not before it: a drain waits for nothing of it, so look until it is gone.
  while (existsSync(file)) await setImmediate();
});

test('with an allow list the Admin API is closed to all other addresses, but for health probes', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder, { adminAllow: ['192.0.2.0/24'] });
  const send = await client(t, folder, controlPlane);
  const refused = await send('GET', '/api/version');
  assert.deepEqual([refused.status, JSON.parse(refused.body)], [403, { error_msg: 'Access denied' }]);
  assert.equal((await send('POST', '/api/login', { username: 'admin', password: 'password' })).status, 403);
  assert.equal((await send('GET', '/unknown')).status, 403);
  assert.equal((await send('GET', '/healthz')).status, 200);
});

test('a token that is revoked while the body of its request arrives does nothing any more', async (t) => {
  const folder = await temporaryFolder(t);
  const { controlPlane } = await start(t, folder);
  const send = await client(t, folder, controlPlane);
  const { id, token } = JSON.parse((await send('POST', '/api/tokens', { name: 'n', expires_at: 0 })).body).value;
  const write = async (meanwhile: () => Promise<unknown>): Promise<number | undefined> => {
    const ca = await readFile(path.join(folder, 'admin-tls.crt'));
    const target = '/apisix/admin/consumers/late?gateway_group_id=default';
    const request = httpsRequest({
      ...{ ca, agent: false, host: '127.0.0.1', port: controlPlane.adminAddresses[0]?.port, method: 'PUT', path: target },
      headers: { 'x-api-key': token, 'content-length': 19, expect: '100-continue' },
    });
    request.flushHeaders();
    // It comes when the caller has been let in and the body is about to be read.
    await once(request, 'continue');
    await meanwhile();
    request.end('{"username":"late"}');
    const [response] = await once(request, 'response');
    response.resume();
    return response.statusCode;
  };
  assert.equal(await write(async () => undefined), 200);
  assert.equal(await write(() => send('DELETE', `/api/tokens/${id}`)), 401);
});

test('instances that an earlier start has seen are in the inventory of the next one', async (t) => {
  const folder = await temporaryFolder(t);
  const keyringFile = path.join(folder, 'keyring.json');
  const store = await openControlPlaneStore({ dataFolder: folder, keyringFile, clock: systemClock, random: systemRandom });
  const facts = { softwareVersion: '1.2.3', hostname: 'gateway.example', cores: 2, connectionId: 1, connectedAtMs: 1 };
  const held = { state: 'current', revision: 0, answeredRevision: 0, isConnected: true, isAwaited: true } as const;
  const seen = (instanceId: string, hoursAgo: number) => ({
    report: { groupId: 'default', instanceId, ...facts, ...held },
    seenAtMs: systemClock.nowMs() - hoursAgo * 3_600_000,
  });
  await store.instanceMemory?.keep([seen('gw-1', 1), seen('gw-2', 3)]);
  await store.close();
  const { controlPlane } = await start(t, folder);
  const send = await client(t, folder, controlPlane);
  const { body } = await send('GET', '/api/gateway_groups/default/instances');
  assert.deepEqual(
    JSON.parse(body).list.map(({ id, status, hostname, cores, version }: Record<string, unknown>) => [
      id,
      status,
      hostname,
      cores,
      version,
    ]),
    [
      ['gw-1', 'LostConnection', 'gateway.example', 2, '1.2.3'],
      ['gw-2', 'Offline', 'gateway.example', 2, '1.2.3'],
    ],
  );
});
