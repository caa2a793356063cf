import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { oddCurveCertificate } from '../../test-support/odd-curve.ts';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { systemClock } from '../lib/clock.ts';
import { asUpstreamDocument, readUpstream } from '../schema/index.ts';
import { startProbe } from './health/probe.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { sendRequest } from './testing/send-request.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { connectSecurely, getOver } from './testing/tls-request.ts';

test('a client with keys on unusual curves is refused or let in like any other, and the gateway lives', async (t) => {
  const authority = await TestAuthority.create('root');
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t);
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...(await authority.issue()), client: { ca: authority.cert } } },
  ]);
  await gateway.agent.whenReady();
  const statusWith = async (certificate: { readonly cert: string; readonly key: string }): Promise<number> => {
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', maxVersion: 'TLSv1.3', ...certificate });
    return (await getOver(socket, 'a.example', '/')).status;
  };
  assert.equal(await statusWith(oddCurveCertificate('mallory', 'brainpoolP256r1')), 400);
  const alice = await authority.issue({ commonName: 'alice' });
  for (const curve of ['secp256k1', 'brainpoolP256r1'] as const) {
    // It bears the name of who has certified the client, and is sent as if it were that one's.
    const impostor = oddCurveCertificate('root', curve);
    assert.equal(await statusWith({ ...alice, cert: `${alice.cert}\n${impostor.cert}` }), 200, curve);
  }
});

test('an upstream that is believed and sends a certificate on an unusual curve beside its own is served, as HTTP/1.1, as HTTP/2 and in checks', async (t) => {
  const authority = await TestAuthority.create('root');
  const own = await authority.issue({ names: ['a.example'] });
  const server = createSecureServer(
    { ...own, cert: `${own.cert}\n${oddCurveCertificate('root', 'secp256k1').cert}`, allowHTTP1: true },
    (_request, response) => void response.end('here'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const secure = { nodes: [{ host: '127.0.0.1', port, weight: 1 }], tls_verify: true, ca_certificates: ['ca'] };
  const gateway = await startTestGateway(t);
  for (const scheme of ['https', 'grpcs']) {
    await gateway.load([
      serviceItem(port, { upstream: { scheme, ...secure } }),
      routeItem('all', { paths: ['/*'] }),
      { kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } },
    ]);
    await gateway.agent.whenReady();
    assert.equal((await sendRequest(gateway.httpPort, { host: 'a.example' })).status, 200, scheme);
    assert.equal((await sendRequest(gateway.httpPort, { host: 'b.example' })).status, 502, scheme);
  }
  const active = { type: 'https', healthy: { http_statuses: [200] }, timeout: 10 };
  const { checks } = readUpstream(asUpstreamDocument({ nodes: [], checks: { active } }));
  assert.ok(checks);
  const secureContext = createSecureContext({ ca: authority.cert });
  const ask = (host: string) => startProbe(checks.active, { address: '127.0.0.1', port, host, secureContext }, systemClock).outcome;
  assert.equal(await ask('a.example'), 'success');
  assert.equal(await ask('b.example'), 'tcp_failure');
});
