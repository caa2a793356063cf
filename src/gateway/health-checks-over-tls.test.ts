import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';

/** An upstream of mutual TLS; tells of each check the name of who made it. */
async function startStrictUpstream(t: TestContext, authority: TestAuthority, onCheck: (name: string) => void): Promise<number> {
  const options = { ...(await authority.issue({ names: ['node.test'] })), ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (request, response) => {
    const { socket } = request;
    if (request.url === '/up' && socket instanceof TLSSocket) onCheck(String(socket.getPeerCertificate().subject.CN));
    response.end();
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a check over TLS is made with the certificate of its upstream, believes its authorities, and takes up their changes', async (t) => {
  const authority = await TestAuthority.create();
  const stranger = await TestAuthority.create();
  let seen: (name: string) => void = () => {};
  const port = await startStrictUpstream(t, authority, (name) => seen(name));
  const checkBy = (name: string): Promise<void> =>
    new Promise((resolve) => {
      seen = (found) => void (found === name && resolve());
    });
  const gateway = await startTestGateway(t);
  const put = (...items: readonly SnapshotItem[]): Promise<void> => gateway.change(...items.map((item) => ({ op: 'put' as const, item })));
  const service = (more: JsonObject): SnapshotItem => {
    const active = {
      type: 'https',
      http_path: '/up',
      host: 'node.test',
      healthy: { interval: 1 },
      unhealthy: { interval: 1, tcp_failures: 1 },
    };
    const nodes = [{ host: '127.0.0.1', port, weight: 1 }];
    return { kind: 'service', id: 's', value: { name: 's', upstream: { scheme: 'https', nodes, checks: { active }, ...more } } };
  };
  const untilState = async (status: string): Promise<void> => {
    for (;;) {
      const { body } = await sendRequest(gateway.statusPort, { target: '/v1/healthcheck' });
      if (JSON.parse(body)[0]?.nodes[0]?.status === status) return;
    }
  };
  await gateway.load([]);
  await put({ kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } }, service({ ca_certificates: ['ca'] }));
  // The upstream refuses who shows no certificate.
  await untilState('unhealthy');

  const byFirst = checkBy('first');
  const pair = await authority.issue({ commonName: 'first' });
  await put(
    { kind: 'certificate', id: 'pair', value: { cert: pair.cert, key: pair.key } },
    service({ ca_certificates: ['ca'], client_certificate: 'pair' }),
  );
  await byFirst;
  const bySecond = checkBy('second');
  const renewed = await authority.issue({ commonName: 'second' });
  await put({ kind: 'certificate', id: 'pair', value: { cert: renewed.cert, key: renewed.key } });
  await bySecond;
  await untilState('healthy');

  // The check verifies, whatever requests do.
  await put({ kind: 'ca_certificate', id: 'ca', value: { cert: stranger.cert } });
  await untilState('unhealthy');
  assert.equal((await sendRequest(gateway.statusPort, { target: '/v1/healthcheck' })).status, 200);
});
