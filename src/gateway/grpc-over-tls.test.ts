import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { JsonObject } from '../lib/json.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';

const same = (value: Buffer): Buffer => value;

const SERVICE = {
  Unary: {
    path: '/test.Echo/Unary',
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};

const authority = await TestAuthority.create();
const node = await authority.issue({ names: ['upstream.test'] });
const host = await authority.issue({ names: ['localhost'] });
const alice = await authority.issue({ commonName: 'alice' });
const gateway = await startTestGateway({ after });

/** A service of gRPC over TLS that echoes; with `asks` it lets nobody in without a certificate. */
async function startService(t: TestContext, asks = false): Promise<number> {
  const server = new Server();
  server.addService(SERVICE, { Unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, call.request) });
  const pairs = [{ private_key: Buffer.from(node.key), cert_chain: Buffer.from(node.cert) }];
  const secured = ServerCredentials.createSsl(Buffer.from(authority.cert), pairs, asks);
  t.after(() => server.forceShutdown());
  return await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', secured, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

/** One call of a client over TLS, through the gateway, to an upstream that is spoken to as `upstream` says. */
async function callOver(t: TestContext, port: number, upstream: JsonObject): Promise<ServiceError | Buffer> {
  await gateway.load([
    serviceItem(port, {
      upstream: {
        scheme: 'grpcs',
        nodes: [{ host: '127.0.0.1', port, weight: 1 }],
        pass_host: 'rewrite',
        upstream_host: 'upstream.test',
        ...upstream,
      },
    }),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'host', value: { snis: ['localhost'], ...host } },
    { kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } },
  ]);
  await gateway.agent.whenReady();
  const client = new Client(`localhost:${gateway.httpsPort}`, credentials.createSsl(Buffer.from(authority.cert)));
  t.after(() => client.close());
  return await new Promise((resolve) => {
    client.makeUnaryRequest('/test.Echo/Unary', same, same, Buffer.from('hello'), (error, value) =>
      resolve(error ?? value ?? Buffer.alloc(0)),
    );
  });
}

test('gRPC goes over TLS on both sides, and the upstream is verified where that is wished', async (t) => {
  const port = await startService(t);
  assert.equal(String(await callOver(t, port, {})), 'hello');
  const verified = await callOver(t, port, { tls_verify: true, ca_certificates: ['ca'] });
  assert.equal(String(verified), 'hello');
  const refused = await callOver(t, port, { tls_verify: true });
  assert.ok(refused instanceof Error);
  assert.equal(refused.code, status.UNAVAILABLE);
  assert.match((await sendRequest(gateway.httpPort)).body, /the certificate of the upstream is not accepted/);
  const misnamed = await callOver(t, port, { tls_verify: true, ca_certificates: ['ca'], upstream_host: 'other.test' });
  assert.ok(misnamed instanceof Error);
});

test('an upstream that asks for a certificate gets that of the gateway', async (t) => {
  const port = await startService(t, true);
  assert.equal(String(await callOver(t, port, { tls: { client_cert: alice.cert, client_key: alice.key } })), 'hello');
  assert.ok((await callOver(t, port, {})) instanceof Error);
});

for (const [how, ALPNProtocols] of [
  ['refuses the handshake', ['http/1.1']],
  ['knows of no choice', undefined],
] as const) {
  test(`an upstream that does not agree on HTTP/2 is not spoken to, which is a failed handshake: it ${how}`, async (t) => {
    const server = createServer({ key: node.key, cert: node.cert, ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }) }, (socket) =>
      socket.on('error', () => {}),
    );
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    t.after(() => server.close());
    const outcome = await callOver(t, port, {});
    assert.ok(outcome instanceof Error);
    assert.equal(outcome.code, status.UNAVAILABLE);
    const answer = await sendRequest(gateway.httpPort);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /the TLS handshake with the upstream failed/);
  });
}
