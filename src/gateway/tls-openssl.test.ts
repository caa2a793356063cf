import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const OLD = ['-cipher', 'DEFAULT:@SECLEVEL=0'];

/** What `openssl s_client` tells of a handshake: the common name that it was shown and the version, or the alert. */
async function handshakeBy(port: number, words: readonly string[]): Promise<string> {
  const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...words], { timeout: 20_000 });
  let text = '';
  for (const stream of [client.stdout, client.stderr]) stream.setEncoding('utf8').on('data', (piece) => (text += piece));
  client.stdin.end();
  await once(client, 'close');
  const alert = /:(?:tlsv1|sslv3) ([a-z ]+):/.exec(text)?.[1];
  return alert ?? `${/subject=CN ?= ?(\S+)/.exec(text)?.[1]} ${/^New, (TLSv1\.\d)/m.exec(text)?.[1]}`;
}

async function start(t: TestContext, fallbackSni?: string): Promise<number> {
  const authority = await TestAuthority.create();
  const [rsa, ecdsa, wild, modern] = await Promise.all([
    authority.issue({ commonName: 'rsa', keyType: 'rsa' }),
    authority.issue({ commonName: 'ecdsa' }),
    authority.issue({ commonName: 'wild' }),
    authority.issue({ commonName: 'modern' }),
  ]);
  const ssl = (id: string, value: object): SnapshotItem => ({ kind: 'ssl', id, value: { ...value } });
  const gateway = await startTestGateway(t, fallbackSni === undefined ? {} : { fallbackSni });
  await gateway.load([
    ssl('rsa', { snis: ['a.example'], ...rsa }),
    ssl('ecdsa', { snis: ['a.example'], ...ecdsa }),
    ssl('wild', { snis: ['*.example'], ...wild, ssl_protocols: ['TLSv1.1', 'TLSv1.2'] }),
    ssl('modern', { snis: ['modern.example'], ...modern, ssl_protocols: ['TLSv1.3'] }),
  ]);
  await gateway.agent.whenReady();
  return gateway.httpsPort;
}

test('openssl gets the certificate of the name that it asks for, of the kind that it can check, in a version that the name offers', async (t) => {
  const port = await start(t);
  const shown = async (name: string, ...words: readonly string[]): Promise<string> => handshakeBy(port, ['-servername', name, ...words]);
  assert.equal(await shown('a.example'), 'ecdsa TLSv1.3');
  assert.equal(await shown('A.Example', '-tls1_2'), 'ecdsa TLSv1.2');
  assert.equal(await shown('a.example', '-sigalgs', 'rsa_pss_rsae_sha256'), 'rsa TLSv1.3');
  assert.equal(await shown('a.example', '-sigalgs', 'ecdsa_secp256r1_sha256'), 'ecdsa TLSv1.3');
  assert.equal(await shown('a.example', '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'), 'rsa TLSv1.2');
  assert.equal(await shown('a.example', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'), 'ecdsa TLSv1.2');
  assert.equal(await shown('b.example'), 'wild TLSv1.2');
  assert.equal(await shown('b.example', '-tls1_3'), 'alert protocol version');
  assert.equal(await shown('modern.example'), 'modern TLSv1.3');
  assert.equal(await shown('modern.example', '-tls1_2'), 'alert protocol version');
  for (const name of ['a.example', 'b.example', 'modern.example']) {
    assert.equal(await shown(name, '-tls1_1', ...OLD), 'alert protocol version', name);
  }
  for (const name of ['c.b.example', 'example', 'unknown.test']) assert.equal(await shown(name), 'unrecognized name', name);
  assert.equal(await handshakeBy(port, ['-noservername']), 'unrecognized name');
});

test('openssl gets the fallback where it names no host, or an unknown one', async (t) => {
  const port = await start(t, 'modern.example');
  assert.equal(await handshakeBy(port, ['-noservername']), 'modern TLSv1.3');
  assert.equal(await handshakeBy(port, ['-servername', 'unknown.test']), 'modern TLSv1.3');
  assert.equal(await handshakeBy(port, ['-servername', 'a.example']), 'ecdsa TLSv1.3');
});
