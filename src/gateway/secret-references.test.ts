import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { guideItems, routeItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream, type TestEnd } from './testing/test-upstream.ts';

/** A Vault with one secret, `kv/jack`. */
async function startVault(t: TestEnd, secret: JsonObject): Promise<SnapshotItem> {
  const server = createServer((request, response) => {
    const isAllowed = request.headers['x-vault-token'] === 'vault-token' && request.url === '/v1/kv/jack';
    response.writeHead(isAllowed ? 200 : 403).end(JSON.stringify(isAllowed ? { data: secret } : { errors: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const value = { uri: `http://127.0.0.1:${address.port}`, prefix: 'kv', token: '$env://VAULT_TOKEN' };
  return { kind: 'secret_provider', id: 'vault/1', value };
}

function credential(id: string, plugin: string, unique: string, configuration?: JsonObject): SnapshotItem {
  const key = { plugin, unique: { reference: unique }, ...(configuration === undefined ? {} : { configuration }) };
  return { kind: 'credential', id, consumer: 'jack', value: {}, keys: [], references: [key] };
}

test('keys, passwords and plugin fields that are kept in the environment and in Vault work as if they stood in the configuration', async (t) => {
  const upstream = await startTestUpstream(t);
  const vault = await startVault(t, { key: 'key-of-vault', password: 'open-sesame', realm: 'vault-realm' });
  const environment = { KEY: 'key-of-environment', VAULT_TOKEN: 'vault-token', PGPASSWORD: 'key-of-database', AWS_KEY: 'opened-key' };
  const gateway = await startTestGateway(t, { environment, envReferences: ['AWS_KEY'] });
  const basic = { username: '$env://KEY', password: '$secret://vault/1/jack/password' };
  await gateway.load([
    vault,
    credential('environment', 'key-auth', '$ENV://KEY'),
    credential('vault', 'key-auth', '$secret://vault/1/jack/key'),
    credential('withheld', 'key-auth', '$env://PGPASSWORD'),
    credential('opened', 'key-auth', '$env://AWS_KEY'),
    credential('missing', 'key-auth', '$secret://vault/1/jack/missing'),
    credential('basic', 'basic-auth', '$env://KEY', basic),
    ...guideItems(upstream.port),
    routeItem('basic', { paths: ['/basic'], plugins: { 'basic-auth': { realm: '$secret://vault/1/jack/realm' } } }),
  ]);
  await gateway.agent.whenReady();
  const statusOf = async (...headers: readonly string[]): Promise<number> =>
    (await sendRequest(gateway.httpPort, { target: '/anything/x', headers })).status;
  for (const key of ['key-of-environment', 'key-of-vault', 'opened-key', 'secret-api-key'])
    assert.equal(await statusOf(`apikey: ${key}`), 200, key);
  for (const key of ['key-of-database', '$ENV://KEY', '$env://KEY', '$secret://vault/1/jack/key', '$secret://vault/1/jack/missing']) {
    assert.equal(await statusOf(`apikey: ${key}`), 401, key);
  }
  const asBasic = (text: string) =>
    sendRequest(gateway.httpPort, { target: '/basic', headers: [`Authorization: Basic ${Buffer.from(text).toString('base64')}`] });
  assert.equal((await asBasic('key-of-environment:open-sesame')).status, 200);
  const refused = await asBasic('$env://KEY:$secret://vault/1/jack/password');
  assert.equal(refused.status, 401);
  assert.match(refused.head, /WWW-Authenticate: Basic realm="vault-realm"/);
  const unresolved = gateway.log.lines.filter(({ message }) => message === 'a secret reference does not resolve');
  assert.deepEqual(unresolved.map(({ fields }) => fields.id).sort(), ['missing', 'withheld']);
  assert.ok(!JSON.stringify(gateway.log.lines).includes('key-of-'));
});

test('references in `_meta` and in the metadata of plugins work as those in other fields do', async (t) => {
  const upstream = await startTestUpstream(t);
  const environment = { REFUSAL: 'ask for a key', OFFICE: '127.0.0.0/8', ORIGIN: 'https://a.example' };
  const gateway = await startTestGateway(t, { environment });
  const guarded = (filter: JsonValue[]): JsonObject => ({ 'key-auth': { _meta: { error_response: '$env://REFUSAL', filter } } });
  await gateway.load([
    ...guideItems(upstream.port),
    { kind: 'plugin_metadata', id: 'cors', value: { allow_origins: { office: '$env://ORIGIN' } } },
    routeItem('inside', { paths: ['/inside'], plugins: guarded([['remote_addr', 'ipmatch', '$env://OFFICE']]) }),
    routeItem('outside', { paths: ['/outside'], plugins: guarded([['remote_addr', '!', 'ipmatch', '$env://OFFICE']]) }),
    routeItem('object', { paths: ['/object'], plugins: { 'key-auth': { _meta: { error_response: { why: '$env://REFUSAL' } } } } }),
    routeItem('cors', {
      paths: ['/cors'],
      plugins: { cors: { allow_origins: 'https://b.example', allow_origins_by_metadata: ['office'] } },
    }),
  ]);
  await gateway.agent.whenReady();
  const answerTo = (target: string, ...headers: string[]) => sendRequest(gateway.httpPort, { target, headers });
  const [inside, outside, object] = await Promise.all(['/inside', '/outside', '/object'].map((target) => answerTo(target)));
  assert.deepEqual([inside?.status, inside?.body], [401, 'ask for a key']);
  assert.equal(outside?.status, 200);
  assert.deepEqual(JSON.parse(object?.body ?? ''), { why: 'ask for a key' });
  assert.match((await answerTo('/cors', 'Origin: https://a.example')).head, /Access-Control-Allow-Origin: https:\/\/a\.example/i);
});
