import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';

async function refused(dataFolder: string, flags: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stderr, stdout } = await RunningInstance.startAndFail({ dataFolder, flags, environment });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  return stderr.trim();
}

test('a port in use ends the start with one sentence, and nothing was made but the folder', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const dataFolder = await temporaryFolder(t);
  assert.match(
    await refused(dataFolder, ['--admin-port', String(port)]),
    new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use: .* --admin-port\\.$`),
  );
  assert.ok(!readdirSync(dataFolder).includes('store.sqlite'));
});

test('a folder that is no folder, a newer folder and wrong settings are refused in one sentence each', async (t) => {
  const dataFolder = await temporaryFolder(t);
  assert.match(await refused(dataFolder, ['--http-port', 'many']), /--http-port must be a port/);
  assert.match(await refused(dataFolder, [], { PORTCULLIS_ADMIN_PROT: '1' }), /did you mean PORTCULLIS_ADMIN_PORT\?/);
  assert.match(await refused(dataFolder, [], { PORTCULLIS_BOOTSTRAP_TOKEN: 'short' }), /16/);
  const refusal = await refused(dataFolder, [], { DATABASE_URL: 'mysql://user:hidden@127.0.0.1/d' });
  assert.match(refusal, /^DATABASE_URL is no address of the form postgres:/);
  writeFileSync(path.join(dataFolder, 'format.json'), '{"format":999}');
  assert.match(await refused(dataFolder, []), /made by a newer version/);
  writeFileSync(path.join(dataFolder, 'file'), '');
  assert.match(await refused(dataFolder, ['--data-dir', path.join(dataFolder, 'file')]), /cannot be written/);
});

test('a data folder in use is refused and its instance is not disturbed', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const instance = await runningInstance(t, { dataFolder });
  const { code, stderr } = await RunningInstance.startAndFail({ dataFolder });
  assert.equal(code, 1);
  assert.match(stderr, /is in use by another instance: stop that one first/);
  assert.equal((await instance.admin('GET', '/api/version')).status, 200);
});

test('without a terminal the secrets of the first start go to a file for the owner only', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const instance = await runningInstance(t, { dataFolder, environment: { PORTCULLIS_BOOTSTRAP_TOKEN: '' } });
  const file = path.join(dataFolder, 'first-start.txt');
  assert.ok(instance.stdout.includes(file));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const token = /^export API_KEY=(a7ee-\S+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  assert.ok(!instance.stdout.includes(token));
  assert.equal((await instance.admin('GET', '/api/gateway_groups', undefined, { 'X-API-KEY': token })).status, 200);
  for (const name of readdirSync(path.join(dataFolder, 'logs'))) {
    assert.ok(!readFileSync(path.join(dataFolder, 'logs', name), 'utf8').includes(token), `${name} holds the token`);
  }
});
