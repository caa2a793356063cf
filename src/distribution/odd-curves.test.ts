import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { oddServer, runClient } from '../../test-support/odd-curve-client.ts';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { authorityPin } from './authority-pin.ts';

/** A server that is believed, refuses whatever it is asked, and shows a certificate on an unusual curve beside its own. */
async function refusingServer(t: TestContext) {
  const { authority, shown } = await oddServer();
  const server = createServer(shown, (request, response) => {
    request.resume();
    response.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
    response.end('{"error_msg":"not you"}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  return { authority, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

const from = (file: string): string => `await import(${JSON.stringify(new URL(file, import.meta.url).href)})`;
const CLOCK = `(${from('../lib/clock.ts')}).systemClock`;

test('a gateway that joins gets past a certificate on an unusual curve', async (t) => {
  const { authority, port } = await refusingServer(t);
  const token = { id: 'token', secret: 'secret', authorityPin: authorityPin(new X509Certificate(authority.cert)) };
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const told = await runClient(`(${from('./join-client.ts')}).requestJoin({
    controlPlane: { host: 'localhost', port: ${port} }, token: ${JSON.stringify(token)}, hostname: 'h', keys: ${JSON.stringify(keys)}, clock: ${CLOCK} })`);
  assert.equal(told, 'not you');
});

test('a gateway that connects gets past a certificate on an unusual curve', async (t) => {
  const { authority, port } = await refusingServer(t);
  const own = await authority.issue({ commonName: 'gateway' });
  const identity = { groupId: 'default', instanceId: 'gw-1', certificate: own.cert, privateKey: own.key, authority: authority.cert };
  const told = await runClient(`(${from('./sync-client.ts')}).openSyncConnection({
    host: 'localhost', port: ${port}, identity: ${JSON.stringify(identity)}, clock: ${CLOCK}, signal: new AbortController().signal, timeoutMs: 30_000 })`);
  assert.equal(told, 'the control plane answered 403 to the sync request');
});

test('the download of a snapshot gets past a certificate on an unusual curve', async (t) => {
  const { authority, port } = await refusingServer(t);
  const folder = await temporaryFolder(t);
  const trusted = path.join(folder, 'ca.pem');
  await writeFile(trusted, authority.cert);
  const told = await runClient(
    `(${from('./exported/download-snapshot.ts')}).downloadSnapshot({
    url: 'https://localhost:${port}/latest.snapshot', etag: undefined, file: ${JSON.stringify(path.join(folder, 'file'))}, mayDial: () => true,
    clock: ${CLOCK}, signal: new AbortController().signal, check: undefined, maxBytes: 1000, freeBytes: 1000 })`,
    { NODE_EXTRA_CA_CERTS: trusted },
  );
  assert.equal(told, 'the server answered 403');
});
