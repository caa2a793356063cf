import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import type { JsonObject } from '../../lib/json.ts';
import { CallClient } from '../calls/index.ts';
import { EnvironmentValues } from './environment-values.ts';
import { SecretError } from './secret-error.ts';
import { secretFetcher } from './secret-fetcher.ts';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = { readonly status?: number; readonly body: unknown };

/** A secret manager that answers as the test says, and whoever asks it. */
async function startManager(t: TestContext, answerTo: (asked: Asked) => Answer, environment: Record<string, string> = {}) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method, url, headers } = request;
    asked.push({ method, url, headers, body });
    const answer = answerTo({ method, url, headers, body });
    response.writeHead(answer.status ?? 200).end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const calls = new CallClient({ clock, mayDial: (address) => address === '127.0.0.1', addressesOf: async (host) => [host] });
  t.after(() => {
    calls.close();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const fetch = secretFetcher({ calls, nowMs: () => clock.nowMs() }, new EnvironmentValues(environment, []));
  const read = async (provider: string, configuration: JsonObject, name: string) =>
    Object.fromEntries(await fetch(provider, configuration, name));
  return { url: `http://127.0.0.1:${address.port}`, host: `127.0.0.1:${address.port}`, asked, clock, read };
}

/** How a reading fails; its message must not hold any of `secrets`. */
async function failureOf(reading: Promise<unknown>, secrets: readonly string[] = []): Promise<[string, string]> {
  const error = await reading.then(() => assert.fail('it was read')).catch((reason: unknown) => reason);
  assert.ok(error instanceof SecretError, String(error));
  for (const secret of secrets) assert.ok(!error.message.includes(secret), error.message);
  return [error.outcome, error.message];
}

const v2 = (data: unknown) => ({ data: { data, metadata: { version: 3 } } });

test('Vault is asked below the prefix, with token and namespace, and both versions of its engine are read', async (t) => {
  const manager = await startManager(t, ({ url }) => ({
    body: url?.includes('/data/') ? v2({ key: 'second' }) : { data: { key: 'first', count: 7, nested: {} } },
  }));
  const vault = { uri: `${manager.url}/`, prefix: '/kv/apisix/', token: 'hvs.token', namespace: 'team/a' };
  assert.deepEqual(await manager.read('vault/1', vault, 'jack/deep er'), { key: 'first', count: '7' });
  assert.deepEqual(await manager.read('vault/1', { ...vault, prefix: 'kv/data/apisix' }, 'jack'), { key: 'second' });
  assert.deepEqual(await manager.read('vault/1', { ...vault, kv_version: 'kv-v2' }, 'jack'), { key: 'second' });
  assert.deepEqual(await manager.read('vault/1', { ...vault, prefix: 'kv', kv_version: 'kv-v2' }, 'jack'), { key: 'second' });
  assert.deepEqual(
    manager.asked.map(({ method, url }) => `${method} ${url}`),
    ['GET /v1/kv/apisix/jack/deep%20er', 'GET /v1/kv/data/apisix/jack', 'GET /v1/kv/data/apisix/jack', 'GET /v1/kv/data/jack'],
  );
  const [first] = manager.asked;
  assert.deepEqual([first?.headers['x-vault-token'], first?.headers['x-vault-namespace']], ['hvs.token', 'team/a']);
});

test('a secret that Vault does not have is gone; any other answer is a failure that tells nothing of it', async (t) => {
  let answer: Answer = { status: 404, body: { errors: [] } };
  const manager = await startManager(t, () => answer);
  const vault = { uri: manager.url, prefix: 'kv', token: 'hvs.token' };
  const failure = () => failureOf(manager.read('vault/1', vault, 'jack'), ['hvs.token', 's3cret']);
  assert.deepEqual(await failure(), ['gone', 'Vault answered 404']);
  answer = { body: { data: { data: null, metadata: { deletion_time: 'now' } } } };
  assert.equal((await failure())[0], 'gone');
  for (const [status, body] of [
    [403, { errors: ['s3cret'] }],
    [503, 's3cret'],
    [200, 's3cret'],
    [200, { data: 's3cret' }],
    [302, ''],
  ] as const) {
    answer = { status, body };
    assert.equal((await failure())[0], 'failed', `${status} ${JSON.stringify(body)}`);
  }
});

test('what a provider takes from the environment is looked up, and where that is missing nobody is asked', async (t) => {
  const manager = await startManager(t, () => ({ body: { data: { key: 'k' } } }), { TOKEN: 'from the environment' });
  const vault = { uri: manager.url, prefix: 'kv', token: '$ENV://TOKEN' };
  await manager.read('vault/1', vault, 'jack');
  assert.equal(manager.asked[0]?.headers['x-vault-token'], 'from the environment');
  for (const token of ['$env://MISSING', '$secret://vault/1/a/b']) {
    assert.equal((await failureOf(manager.read('vault/1', { ...vault, token }, 'jack')))[0], 'failed');
  }
  assert.equal(manager.asked.length, 1);
});

test('the address policy holds for managers, and an unknown one is a failure', async (t) => {
  const manager = await startManager(t, () => ({ body: {} }));
  const denied = { uri: 'http://127.0.0.2:1', prefix: 'kv', token: 't' };
  assert.match((await failureOf(manager.read('vault/1', denied, 'jack')))[1], /must not be called/);
  assert.equal((await failureOf(manager.read('other/1', denied, 'jack')))[0], 'failed');
});

test('AWS is asked for the current version, signed for its region, and its JSON is read', async (t) => {
  let answer: Answer = { body: { SecretString: '{"key":"k","port":6379}' } };
  const manager = await startManager(t, () => answer);
  const aws = {
    access_key_id: 'AKID',
    secret_access_key: 's3cret',
    session_token: 'session',
    region: 'eu-central-1',
    endpoint_url: manager.url,
  };
  assert.deepEqual(await manager.read('aws/1', aws, 'team/jack'), { key: 'k', port: '6379' });
  const [asked] = manager.asked;
  assert.deepEqual(JSON.parse(asked?.body ?? ''), { SecretId: 'team/jack', VersionStage: 'AWSCURRENT' });
  assert.partialDeepStrictEqual(asked, {
    method: 'POST',
    url: '/',
    headers: {
      host: manager.host,
      'x-amz-target': 'secretsmanager.GetSecretValue',
      'x-amz-security-token': 'session',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-date': '20300101T000000Z',
    },
  });
  assert.match(
    asked?.headers.authorization ?? '',
    /^AWS4-HMAC-SHA256 Credential=AKID\/20300101\/eu-central-1\/secretsmanager\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
  );
  answer = { status: 400, body: { __type: 'ResourceNotFoundException', message: 'no' } };
  assert.equal((await failureOf(manager.read('aws/1', aws, 'jack')))[0], 'gone');
  for (const body of [{ __type: 'AccessDeniedException' }, { SecretString: 's3cret' }, { SecretBinary: 's3cret' }]) {
    answer = { status: '__type' in body ? 400 : 200, body };
    assert.equal((await failureOf(manager.read('aws/1', aws, 'jack'), ['s3cret']))[0], 'failed');
  }
});

test('a secret of Kubernetes is read from its namespace, decoded', async (t) => {
  const manager = await startManager(t, ({ url }) =>
    url === '/api/v1/namespaces/default/secrets/jack'
      ? { body: { kind: 'Secret', data: { key: Buffer.from('k€y').toString('base64') } } }
      : { status: 404, body: { kind: 'Status' } },
  );
  const kubernetes = { apiserver_addr: manager.url, token: 'bearer' };
  assert.deepEqual(await manager.read('kubernetes/1', kubernetes, 'default/jack'), { key: 'k€y' });
  assert.equal(manager.asked[0]?.headers.authorization, 'Bearer bearer');
  assert.equal((await failureOf(manager.read('kubernetes/1', kubernetes, 'default/jill')))[0], 'gone');
});

test('Google is asked with an access token that a signed assertion bought, and that is kept until it ends', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const manager = await startManager(t, ({ url }) => {
    if (url === '/token') return { body: { access_token: 'access', expires_in: 3600 } };
    if (url !== '/v1/projects/p/secrets/jack/versions/latest:access') return { status: 404, body: {} };
    return { body: { payload: { data: Buffer.from('{"key":"k"}').toString('base64') } } };
  });
  const auth_config = {
    client_email: 'a@p.example',
    private_key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    project_id: 'p',
    token_uri: `${manager.url}/token`,
    scope: ['one', 'two'],
    entries_uri: `${manager.url}/v1/`,
  };
  assert.deepEqual(await manager.read('gcp/1', { auth_config }, 'jack'), { key: 'k' });
  const [bought, read] = manager.asked;
  assert.equal(read?.headers.authorization, 'Bearer access');
  const form = new URLSearchParams(bought?.body);
  assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
  assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')));
  const iat = manager.clock.nowMs() / 1000;
  assert.deepEqual(JSON.parse(Buffer.from(claims, 'base64url').toString()), {
    iss: 'a@p.example',
    aud: `${manager.url}/token`,
    scope: 'one two',
    iat,
    exp: iat + 3600,
  });
  assert.equal((await failureOf(manager.read('gcp/1', { auth_config }, 'jill')))[0], 'gone');
  const tokensBought = () => manager.asked.filter(({ url }) => url === '/token').length;
  assert.equal(tokensBought(), 1);
  manager.clock.advance(3_550_000);
  await manager.read('gcp/1', { auth_config }, 'jack');
  assert.equal(tokensBought(), 2);
});

test('Google’s account may lie in a file on the gateway, of which no failure tells anything', async (t) => {
  const manager = await startManager(t, () => ({ body: {} }));
  const folder = await temporaryFolder(t);
  const auth_file = path.join(folder, 'account.json');
  const failure = () => failureOf(manager.read('gcp/1', { auth_file }, 'jack'), ['s3cret']);
  assert.match((await failure())[1], /cannot be read/);
  await writeFile(auth_file, 's3cret');
  assert.match((await failure())[1], /not a JSON object/);
  await writeFile(auth_file, JSON.stringify({ client_email: 'a', private_key: 's3cret', project_id: 'p', token_uri: manager.url }));
  assert.match((await failure())[1], /cannot sign/);
});
