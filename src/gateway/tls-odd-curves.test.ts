import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oddCurveCertificate } from '../../test-support/odd-curve.ts';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
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
