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

test('a client of an intermediate authority that was renewed is let in with the old copy too, where the current one is to be had', async (t) => {
  const root = await TestAuthority.create();
  const between = await root.intermediate('one');
  const further = await between.intermediate('two');
  const old = await root.certifyAgain(between, new Date(Date.now() - 1000));
  const renewed = await root.certifyAgain(between);
  const alice = await between.issue({ commonName: 'alice' });
  const dave = await further.issue({ commonName: 'dave' });
  const ownOf = ({ cert }: { readonly cert: string }): string => cert.slice(0, cert.indexOf('-----BEGIN', 1));
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t);
  const server = await root.issue();
  const relabelled = (label: string): string => root.cert.replaceAll('CERTIFICATE', `${label} CERTIFICATE`);
  const authorities = {
    root: root.cert,
    both: `${root.cert}\n${renewed}`,
    old: `${root.cert}\n${old}`,
    three: `${root.cert}\n${renewed}\n${further.cert}`,
    x509: relabelled('X509'),
    trusted: relabelled('TRUSTED'),
  };
  await gateway.load([
    serviceItem(upstream.port),
    routeItem('all', { paths: ['/*'] }),
    ...Object.entries(authorities).map(([id, ca]) => ({
      kind: 'ssl' as const,
      id,
      value: { snis: [`${id}.example`], ...server, client: { ca, depth: 1 } },
    })),
  ]);
  await gateway.agent.whenReady();
  const statusAt = async (id: keyof typeof authorities, key: string, ...chain: readonly string[]): Promise<number> => {
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: `${id}.example`, cert: chain.join('\n'), key });
    return (await getOver(socket, `${id}.example`, '/')).status;
  };
  assert.equal(await statusAt('both', alice.key, ownOf(alice), old), 200);
  assert.equal(await statusAt('both', alice.key, ownOf(alice)), 200);
  assert.equal(await statusAt('both', alice.key, ownOf(alice), old, renewed), 200);
  assert.equal(await statusAt('root', alice.key, ownOf(alice), renewed, old), 200);
  assert.equal(await statusAt('root', alice.key, ownOf(alice), old), 400);
  assert.equal(await statusAt('old', alice.key, ownOf(alice)), 400);
  for (const id of ['x509', 'trusted'] as const) assert.equal(await statusAt(id, alice.key, alice.cert), 200);
  // Two stand between, whoever brings them.
  assert.equal(await statusAt('three', dave.key, ownOf(dave)), 400);
  assert.equal(await statusAt('three', dave.key, dave.cert), 400);
  assert.equal(await statusAt('root', alice.key, ownOf(alice), old, renewed), 200);
});
