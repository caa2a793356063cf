import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { type RunningInstance, runningInstance } from '../test-support/running-instance.ts';
import { temporaryFolder } from '../test-support/temporary-folder.ts';
import { createTestCertificate } from '../test-support/test-certificate.ts';

const NODES = [{ host: '127.0.0.1', port: 9, weight: 1 }];

/** Writes and demands that the gateway has it in force. */
async function put(instance: RunningInstance, what: string, body: object): Promise<void> {
  const answer = await instance.admin('PUT', `/apisix/admin/${what}`, body);
  assert.equal(answer.status, 200, `${what} ${JSON.stringify(answer.body)}`);
  assert.equal(answer.headers['portcullis-applied'], '1/1', what);
}

async function statusOf(instance: RunningInstance, target: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${instance.ports.http}${target}`)).status;
}

test('kinds that gateways do not use are stored while a gateway serves on, and no file holds their keys', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const instance = await runningInstance(t, { dataFolder });
  const [own, other] = await Promise.all([createTestCertificate(), createTestCertificate()]);
  const upstream = { nodes: [{ host: '127.0.0.1', port: instance.ports.demo, weight: 1 }] };
  await put(instance, 'services/web', { name: 'web', upstream });
  await put(instance, 'routes/all', { name: 'all', paths: ['/anything*'], service_id: 'web' });
  assert.equal(await statusOf(instance, '/anything'), 200);

  await put(instance, 'services/tcp', { name: 'tcp', type: 'stream', upstream: { scheme: 'tcp', nodes: NODES } });
  await put(instance, 'stream_routes/tcp', { name: 'tcp', service_id: 'tcp', server_port: 9100 });
  await put(instance, 'services/web/upstreams/blue', { name: 'blue', scheme: 'https', nodes: NODES });
  await put(instance, 'ssls/a', { snis: ['a.example'], ...own });
  await put(instance, 'certificates/b', other);
  await put(instance, 'ca_certificates/c', { cert: other.cert });
  await put(instance, 'snis/d', { domain: 'd.example', certificates: ['b'] });
  await put(instance, 'protos/e', { content: 'syntax = "proto3";' });
  assert.equal(await statusOf(instance, '/anything'), 200);

  await put(instance, 'services/web', { name: 'web', type: 'stream', upstream: { scheme: 'tcp', nodes: NODES } });
  assert.notEqual(await statusOf(instance, '/anything'), 200);
  await put(instance, 'services/web', { name: 'web', upstream });
  assert.equal(await statusOf(instance, '/anything'), 200);

  const headers = { 'Content-Type': 'application/merge-patch+json' };
  assert.equal((await instance.admin('PATCH', '/apisix/admin/ssls/a', { status: 0 }, headers)).status, 200);
  assert.equal((await instance.admin('PATCH', '/apisix/admin/ssls/a', [], headers)).status, 400);

  const files = readdirSync(dataFolder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const lines = [own, other].map(({ key }) => key.split('\n')[1] ?? 'no line');
  for (const { parentPath, name } of files) {
    const text = readFileSync(path.join(parentPath, name), 'latin1');
    for (const line of lines) assert.ok(!text.includes(line), name);
  }
});
