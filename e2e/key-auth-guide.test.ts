import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { promisify } from 'node:util';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

const run = promisify(execFile);

/** Runs shell commands as a newcomer pastes them, in a shell that stops at the first command that fails. */
async function paste(instance: RunningInstance, commands: string): Promise<string> {
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', commands.replaceAll('curl ', 'curl -sS ')], {
    env: { PATH: process.env.PATH, API_KEY: instance.token },
    timeout: 20_000,
  });
  return stdout;
}

/** The shell blocks of the README's guide, on the ports of the running instance. */
function guideOfReadme(instance: RunningInstance): string {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```(?:sh|bash|shell)\n([\s\S]*?)```/g)]
    .map(([, block]) => block ?? '')
    .filter((block) => block.includes('curl'));
  return onPortsOf(instance, blocks.join('\n'));
}

function onPortsOf(instance: RunningInstance, text: string): string {
  const { admin, http, demo } = instance.ports;
  return text.replaceAll('7443', String(admin)).replaceAll('9080', String(http)).replaceAll('8081', String(demo));
}

function assertGuideAnswers(output: string): void {
  const answers = output.split(/(?=HTTP\/1\.1 \d{3})/).filter((part) => part.startsWith('HTTP/1.1'));
  const [refused, accepted] = answers.slice(-2);
  assert.match(refused ?? '', /^HTTP\/1\.1 401 Unauthorized\r\n/);
  assert.match(refused ?? '', /\r\nWWW-Authenticate: apikey realm="key"\r\n/i);
  assert.match(refused ?? '', /\r\nContent-Type: text\/plain; charset=utf-8\r\n/i);
  assert.match(refused ?? '', /\r\n\r\n\{"message":"Missing API key in request"\}\n/);
  assert.match(accepted ?? '', /^HTTP\/1\.1 200 OK\r\n/);
  const { headers } = JSON.parse((accepted ?? '').split('\r\n\r\n')[1] ?? '');
  assert.equal(headers.Apikey, 'secret-api-key');
  assert.equal(headers['X-Consumer-Username'], 'key-auth-consumer');
  assert.equal(headers['X-Credential-Identifier'], 'key-auth-consumer-cred');
}

test("the README's guide works as it stands: 401 without the key, 200 with it, at once", async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const commands = guideOfReadme(instance);
  assert.equal(commands.match(/-X PUT/g)?.length, 4);
  assertGuideAnswers(await paste(instance, commands));
  assert.equal(await instance.stop(), 0);
});

test('the commands that the first start prints work when they are pasted whole', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const commands = instance.stdout.slice(instance.stdout.indexOf('curl -k'));
  assertGuideAnswers(await paste(instance, commands));
});

test('after the last answer of four PUTs with new ids the key is in force, 100 times out of 100', async (t) => {
  const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t) });
  const outcomes: string[] = [];
  for (let round = 0; round < 100; round++) {
    const id = `round-${round}`;
    const key = `key-of-round-${round}-${instance.token}`;
    const answers = [
      await instance.admin('PUT', `/apisix/admin/services/${id}`, {
        name: id,
        upstream: { nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] },
      }),
      await instance.admin('PUT', `/apisix/admin/routes/${id}`, {
        name: id,
        paths: [`/anything/${id}`],
        methods: ['GET'],
        service_id: id,
        plugins: { 'key-auth': { header: 'apikey' } },
      }),
      await instance.admin('PUT', `/apisix/admin/consumers/${id}`, { username: id }),
      await instance.admin('PUT', `/apisix/admin/consumers/${id}/credentials/${id}`, { name: id, plugins: { 'key-auth': { key } } }),
    ];
    const url = `http://127.0.0.1:${instance.ports.http}/anything/${id}`;
    const [without, withKey] = await Promise.all([fetch(url), fetch(url, { headers: { apikey: key } })]);
    await without.arrayBuffer();
    const body = await withKey.text();
    const consumer = withKey.ok ? JSON.parse(body).headers['X-Consumer-Username'] : body;
    const applied = answers.map(({ headers }) => headers['portcullis-applied']);
    outcomes.push([...answers.map(({ status }) => status), ...applied, without.status, withKey.status, consumer].join(' '));
  }
  assert.deepEqual(
    outcomes,
    Array.from({ length: 100 }, (_, round) => `200 200 200 200 1/1 1/1 1/1 1/1 401 200 round-${round}`),
  );
});

test('a stop keeps everything, and a second start knows it without new secrets', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const first = await runningInstance(t, { dataFolder });
  await paste(first, guideOfReadme(first));
  assert.equal(await first.stop(), 0);
  // The demo upstream must be where the service says.
  const second = await runningInstance(t, { dataFolder, flags: ['--demo-port', String(first.ports.demo)] }, first.token);
  assert.match(second.stdout, /portcullis token create/);
  assert.doesNotMatch(second.stdout, /First start/);
  const answer = await fetch(`http://127.0.0.1:${second.ports.http}/anything/key-auth`, { headers: { apikey: 'secret-api-key' } });
  assert.equal(answer.status, 200);
  assert.equal(await second.stop(), 0);
});
