import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectSecurely, createServer } from 'node:tls';
import { promisify } from 'node:util';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { openStream, startTcpEcho } from '../test-support/stream-peers.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { TestAuthority } from '../test-support/test-authority.ts';

const run = promisify(execFile);

/** The shell examples of docs/streams.md, in their order. */
function examples() {
  const page = readFileSync(new URL('../docs/streams.md', import.meta.url), 'utf8');
  const [start = '', routeOverTcp = '', serviceOverTls = '', startBehindBalancer = '', ...others] = [
    ...page.matchAll(/```sh\n([\s\S]*?)```/g),
  ].map(([, block]) => block ?? '');
  assert.deepEqual(others, [], 'every example is run here');
  return { start, routeOverTcp, serviceOverTls, startBehindBalancer };
}

/** The flags of an example, with ports that are free and clients of this machine. */
function flagsOf(command: string): readonly string[] {
  const [, words] = /^portcullis start (.*)$/m.exec(command) ?? [];
  assert.ok(words !== undefined, command);
  return words
    .replaceAll('10.0.0.0/8', '127.0.0.0/8')
    .replaceAll(/\b9\d{3}\b/g, '0')
    .split(' ');
}

/** What an example is changed to where it names the reader's own ports and addresses. */
type Replacements = Readonly<Record<string, string>>;

/** Runs an example as it stands but for what it must not know here. @throws Error when a command fails or an answer is a refusal */
async function runExample(t: TestContext, instance: RunningInstance, example: string, replacements: Replacements): Promise<string> {
  let commands = example;
  for (const [text, other] of Object.entries({ 'localhost:7443': `localhost:${instance.ports.admin}`, ...replacements })) {
    assert.ok(commands.includes(text), `the example has ${text}`);
    commands = commands.replaceAll(text, other);
  }
  const { stdout } = await run('bash', ['-e', '-o', 'pipefail', '-c', commands.replaceAll('curl ', 'curl -sS --fail-with-body ')], {
    cwd: await temporaryFolder(t),
    env: { PATH: process.env.PATH, API_KEY: instance.token },
    timeout: 30_000,
  });
  return stdout;
}

/** Says `secure:` and what it gets. */
async function startSecureEcho(t: TestContext, authority: TestAuthority, name: string): Promise<number> {
  const server = createServer(await authority.issue({ names: [name] }), (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(`secure:${bytes}`));
    t.after(() => socket.destroy());
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function ask(t: TestContext, port: number, text: string, answer: string): Promise<void> {
  const stream = await openStream(t, port);
  stream.send(text);
  assert.equal(await stream.takeThrough(answer), answer);
  stream.socket.destroy();
}

/** The connection ends without an answer, in whichever way. */
async function isClosed(t: TestContext, port: number, text: string): Promise<void> {
  const stream = await openStream(t, port);
  stream.send(text);
  assert.equal(await stream.takeRest(), '');
}

test('the examples of docs/streams.md work as they stand', async (t) => {
  const { start, routeOverTcp, serviceOverTls, startBehindBalancer } = examples();
  const authority = await TestAuthority.create();
  const folder = await temporaryFolder(t);
  const trusted = path.join(folder, 'ca.crt');
  writeFileSync(trusted, authority.cert);
  const environment = { NODE_EXTRA_CA_CERTS: trusted };
  const plain = await startTcpEcho(t, 'plain');
  const secure = await startSecureEcho(t, authority, 'localhost');
  const toPlain = { '5432': String(plain.port), '10.0.0.0/8': '127.0.0.0/8' };
  const toSecure = { 'db.internal': 'localhost', '5433': String(secure) };

  await t.test('ports, a service with its route, and a node over TLS', async (t) => {
    const instance = await runningInstance(t, {
      dataFolder: await temporaryFolder(t),
      flags: ['--no-demo', ...flagsOf(start)],
      environment,
    });
    const [port = 0, otherPort = 0, tlsPort = 0, udpPort = 0] = instance.ports.streams ?? [];
    assert.ok(udpPort > 0, 'all four listeners are there');
    assert.match(await runExample(t, instance, routeOverTcp, { ...toPlain, '9100': String(port) }), /"server_port":\d+/);
    await ask(t, port, 'hi', 'plain:hi');
    await isClosed(t, otherPort, 'hi');

    await runExample(t, instance, serviceOverTls, toSecure);
    await ask(t, port, 'hi', 'secure:hi');
    const stranger = await startSecureEcho(t, await TestAuthority.create(), 'localhost');
    await runExample(t, instance, serviceOverTls, { ...toSecure, '5433': String(stranger) });
    await isClosed(t, port, 'hi');

    await runExample(t, instance, routeOverTcp, { ...toPlain, '9100': String(tlsPort) });
    const certificate = await authority.issue({ names: ['localhost'] });
    assert.ok((await instance.admin('PUT', '/apisix/admin/ssls/own', { snis: ['localhost'], ...certificate })).status < 300);
    const client = connectSecurely({ host: '127.0.0.1', port: tlsPort, servername: 'localhost', ca: authority.cert });
    await once(client, 'secureConnect');
    client.write('hi');
    assert.equal(String((await once(client, 'data'))[0]), 'plain:hi');
    client.destroy();
  });

  await t.test('behind a load balancer that tells the address of the client', async (t) => {
    const flags = ['--no-demo', ...flagsOf(start), ...flagsOf(startBehindBalancer)];
    const instance = await runningInstance(t, { dataFolder: await temporaryFolder(t), flags });
    const [port = 0] = instance.ports.streams ?? [];
    await runExample(t, instance, routeOverTcp, { '5432': String(plain.port), '9100': String(port) });
    await ask(t, port, 'PROXY TCP4 10.1.2.3 10.9.9.9 4711 5432\r\nhi', 'plain:hi');
    await isClosed(t, port, 'PROXY TCP4 192.0.2.7 10.9.9.9 4711 5432\r\nhi');
  });
});
