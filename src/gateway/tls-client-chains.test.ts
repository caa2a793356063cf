import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { TestAuthority } from '../../test-support/test-authority.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { connectSecurely, getOver } from './testing/tls-request.ts';

test('a client stands no nearer to the authority because of the order or the number of certificates that it sends', async (t) => {
  const authority = await TestAuthority.create();
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t);
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('all', { paths: ['/*'] }),
    { kind: 'ssl', id: 'a', value: { snis: ['a.example'], ...(await authority.issue()), client: { ca: authority.cert, depth: 1 } } },
  ]);
  await gateway.agent.whenReady();
  const statusWith = async (options: ConnectionOptions): Promise<number> => {
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', ...options });
    return (await getOver(socket, 'a.example', '/')).status;
  };
  const between = await authority.intermediate('one');
  const further = await between.intermediate('two');
  const dave = await further.issue({ commonName: 'dave' });
  const [own = '', second = '', first = ''] = dave.cert.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const past = new Date(Date.now() - 1000);
  const expired = await further.certifiedByItself(past);
  const current = await further.certifiedByItself();
  const others = await between.certifiedByItself(past);
  for (const chain of [
    [own, second, first],
    [own, first, second],
    [own, first, second, authority.cert],
    [own, authority.cert, first, second],
    [own, expired, second, first],
    [own, current, second, first],
    [own, second, others, first],
    [own, second, first, expired, current],
  ]) {
    assert.equal(await statusWith({ cert: chain.join('\n'), key: dave.key }), 400);
  }
  const carol = await between.issue({ commonName: 'carol' });
  assert.equal(await statusWith({ ...carol, cert: `${carol.cert}\n${authority.cert}` }), 200);
});
