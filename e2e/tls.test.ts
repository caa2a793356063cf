import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { type RunningInstance, runningInstance, until } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { TestAuthority } from '../test-support/test-authority.ts';

const run = promisify(execFile);

/** What curl says of one request to the HTTPS port. */
async function curl(instance: RunningInstance, folder: string, words: readonly string[]): Promise<string> {
  const host = ['--resolve', `a.example:${instance.ports.https}:127.0.0.1`, '--cacert', path.join(folder, 'ca.crt')];
  const { stdout } = await run('curl', ['-sS', ...host, ...words, `https://a.example:${instance.ports.https}/anything/x`], {
    timeout: 20_000,
  });
  return stdout;
}

async function startSecure(
  t: TestContext,
): Promise<{ readonly instance: RunningInstance; readonly folder: string; readonly authority: TestAuthority }> {
  const folder = await temporaryFolder(t);
  const authority = await TestAuthority.create();
  writeFileSync(path.join(folder, 'ca.crt'), authority.cert);
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), environment: { PORTCULLIS_TEST_HOOKS: '1' } });
  const nodes = [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }];
  await put(instance, 'services/s', { name: 's', upstream: { nodes } });
  await put(instance, 'routes/r', { name: 'r', paths: ['/anything/*'], service_id: 's' });
  return { instance, folder, authority };
}

async function put(instance: RunningInstance, resource: string, body: unknown): Promise<void> {
  const answer = await instance.admin('PUT', `/apisix/admin/${resource}`, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  assert.match(String(answer.headers['portcullis-applied']), /^1\/1/);
}

test('the examples of docs/tls.md work as they stand', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const page = readFileSync(new URL('../docs/tls.md', import.meta.url), 'utf8');
  const script = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '').join('\n');
  const { admin, https, demo } = instance.ports;
  const commands = script.replaceAll('7443', String(admin)).replaceAll('9443', String(https)).replaceAll('8081', String(demo));
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', commands.replaceAll('curl ', 'curl -sS ')], {
    cwd: await temporaryFolder(t),
    env: { PATH: process.env.PATH, API_KEY: instance.token },
    timeout: 30_000,
  });
  assert.match(stdout, /"url": *"https:\/\/api.example:\d+\/anything\/hello"/);
  assert.match(stdout, /anything\/secret"/);
  assert.match(stdout, /anything\/open\/door"/);
  assert.match(stdout, /\{"error_msg":"a client certificate is required"\}\n400\n$/);
  assert.doesNotMatch(stdout, /PRIVATE KEY/);
});

test('the HTTPS port refuses connections before the first certificate, on both families opens with it, and keeps its keys to itself', async (t) => {
  const { instance, folder, authority } = await startSecure(t);
  for (const host of ['127.0.0.1', '::1']) {
    const [error] = await once(connectTcp({ host, port: instance.ports.https }), 'error');
    assert.equal(error.code, 'ECONNREFUSED', host);
  }
  const certificate = await authority.issue({ names: ['a.example'] });
  await put(instance, 'ssls/a', { snis: ['a.example'], ...certificate });
  for (const host of ['127.0.0.1', '::1']) {
    const socket = connect({ host, port: instance.ports.https, servername: 'a.example', ca: authority.cert });
    await once(socket, 'secureConnect');
    socket.destroy();
  }
  assert.match(await curl(instance, folder, []), /anything\/x/);
  assert.doesNotMatch(JSON.stringify((await instance.admin('GET', '/apisix/admin/ssls/a')).body), /PRIVATE KEY/);
  const secretLine = certificate.key.split('\n')[1] ?? '';
  for (const file of readdirSync(instance.dataFolder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    assert.ok(!readFileSync(path.join(file.parentPath, file.name)).includes(secretLine), file.name);
  }
  assert.equal(await instance.stop(), 0);
});

test('openssl takes a session up again on any worker, and over a change of the gateway process no request fails', async (t) => {
  const { instance, folder, authority } = await startSecure(t);
  await put(instance, 'ssls/a', { snis: ['a.example'], ...(await authority.issue({ names: ['a.example'] })) });
  for (const version of ['-tls1_2', '-tls1_3']) {
    const session = path.join(folder, `session${version}`);
    const words = ['s_client', '-connect', `127.0.0.1:${instance.ports.https}`, '-servername', 'a.example', version, '-ign_eof'];
    const request = 'GET /anything/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';
    const first = spawnSync('openssl', [...words, '-sess_out', session], { input: request, encoding: 'utf8', timeout: 20_000 });
    assert.match(first.stdout, /New, TLSv1/);
    // With two workers some of ten connections meet the other one.
    for (let index = 0; index < 10; index++) {
      const { stdout } = spawnSync('openssl', [...words, '-sess_in', session], { input: request, encoding: 'utf8', timeout: 20_000 });
      assert.match(stdout, /Reused, TLSv1/);
      assert.match(stdout, /HTTP\/1\.1 200 OK/);
    }
  }
  let done = false;
  const load = (async (): Promise<number> => {
    let answered = 0;
    while (!done) {
      assert.match(await curl(instance, folder, []), /anything\/x/);
      answered++;
    }
    return answered;
  })();
  const before = instance.child('gateway');
  process.kill(instance.process.pid ?? 0, 'SIGUSR2');
  while (instance.childProcesses().some(({ pid }) => pid === before)) await new Promise((resolve) => setTimeout(resolve, 50));
  done = true;
  assert.ok((await load) > 5);
});

test('the HTTPS port answers while workers die, more often than one process has sockets for', async (t) => {
  const { instance, folder, authority } = await startSecure(t);
  await put(instance, 'ssls/a', { snis: ['a.example'], ...(await authority.issue({ names: ['a.example'] })) });
  const before = instance.child('gateway');
  for (let death = 0; death < 8; death++) {
    const failed = await fetch(`http://127.0.0.1:${instance.ports.status}/test/worker/0/throw`, { method: 'POST' }).catch(() => undefined);
    assert.match(await curl(instance, folder, ['--retry', '2', '--retry-all-errors']), /anything\/x/);
    if (failed?.ok !== true) death--;
    await until(
      async () => (await fetch(`http://127.0.0.1:${instance.ports.status}/status/ready`).catch(() => undefined))?.status === 200,
      'ready',
    );
  }
  assert.notEqual(instance.child('gateway'), before);
  assert.match(await curl(instance, folder, []), /anything\/x/);
});
