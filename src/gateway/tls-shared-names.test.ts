import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { connectSecurely, getOver, handshakeError } from './testing/tls-request.ts';

const RSA_ONLY: ConnectionOptions = { sigalgs: 'rsa_pss_rsae_sha256:RSA-PSS+SHA256:RSA+SHA256' };
const OLD_RSA_ONLY: ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' };
const OLD_ECDSA_ONLY: ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };

function ssl(id: string, value: JsonObject): SnapshotItem {
  return { kind: 'ssl', id, value: { snis: ['a.example'], ...value } };
}

async function start(t: TestContext, items: readonly SnapshotItem[]): Promise<TestGateway> {
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t);
  await gateway.load([serviceItem(upstream.port), routeItem('all', { paths: ['/*'] }), ...items]);
  await gateway.agent.whenReady();
  return gateway;
}

/** The common name that the gateway shows, and the status of a request. */
async function shownTo(t: TestContext, gateway: TestGateway, options: ConnectionOptions = {}): Promise<string> {
  const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', ...options });
  return `${socket.getPeerCertificate().subject.CN} ${(await getOver(socket, 'a.example', '/')).status}`;
}

test('objects of one name are served together: each client gets the kind of key that it can check', async (t) => {
  const authority = await TestAuthority.create();
  const [rsa, ecdsa, third] = await Promise.all([
    authority.issue({ commonName: 'rsa', keyType: 'rsa' }),
    authority.issue({ commonName: 'ecdsa' }),
    authority.issue({ commonName: 'third' }),
  ]);
  const gateway = await start(t, [ssl('a', { ...rsa }), ssl('b', { ...ecdsa })]);
  const all = async (): Promise<readonly string[]> => [
    await shownTo(t, gateway),
    await shownTo(t, gateway, RSA_ONLY),
    await shownTo(t, gateway, OLD_RSA_ONLY),
    await shownTo(t, gateway, OLD_ECDSA_ONLY),
  ];
  assert.deepEqual(await all(), ['ecdsa 200', 'rsa 200', 'rsa 200', 'ecdsa 200']);
  // Of two for the same kind of key the first object's is shown.
  await gateway.change({ op: 'put', item: ssl('c', { ...third }) });
  assert.deepEqual(await all(), ['ecdsa 200', 'rsa 200', 'rsa 200', 'ecdsa 200']);
  await gateway.change({ op: 'delete', name: { kind: 'ssl', parentId: '', id: 'b' } });
  assert.deepEqual(await all(), ['third 200', 'rsa 200', 'rsa 200', 'third 200']);
  await gateway.change({ op: 'delete', name: { kind: 'ssl', parentId: '', id: 'c' } });
  assert.equal(await shownTo(t, gateway), 'rsa 200');
  // Objects of the other kinds, too.
  await gateway.change(
    { op: 'put', item: { kind: 'certificate', id: 'x', value: { ...ecdsa } } },
    { op: 'put', item: { kind: 'sni', id: 'x', value: { domain: 'a.example', certificates: ['x'] } } },
  );
  assert.deepEqual(await all(), ['ecdsa 200', 'rsa 200', 'rsa 200', 'ecdsa 200']);
  await gateway.change({ op: 'put', item: { kind: 'certificate', id: 'x', value: { ...third } } });
  assert.deepEqual(await all(), ['third 200', 'rsa 200', 'rsa 200', 'third 200']);
});

test('what one of them asks of clients holds whichever certificate is shown, and of two that ask the first decides', async (t) => {
  const authority = await TestAuthority.create();
  const other = await TestAuthority.create('other');
  const [rsa, ecdsa, alice, mallory] = await Promise.all([
    authority.issue({ commonName: 'rsa', keyType: 'rsa' }),
    authority.issue({ commonName: 'ecdsa' }),
    authority.issue({ commonName: 'alice', keyType: 'rsa' }),
    other.issue({ commonName: 'mallory', keyType: 'rsa' }),
  ]);
  // The strict one comes last by its id.
  const gateway = await start(t, [ssl('a', { ...rsa }), ssl('b', { ...ecdsa, client: { ca: authority.cert } })]);
  const statuses = async (): Promise<readonly string[]> => [
    await shownTo(t, gateway, alice),
    await shownTo(t, gateway, { ...RSA_ONLY, ...alice }),
    await shownTo(t, gateway),
    await shownTo(t, gateway, RSA_ONLY),
    await shownTo(t, gateway, OLD_RSA_ONLY),
    await shownTo(t, gateway, { ...RSA_ONLY, ...mallory }),
  ];
  const strict = ['ecdsa 200', 'rsa 200', 'ecdsa 400', 'rsa 400', 'rsa 400', 'rsa 400'];
  assert.deepEqual(await statuses(), strict);
  await gateway.change({ op: 'put', item: ssl('c', { ...rsa, client: { ca: other.cert } }) });
  assert.deepEqual(await statuses(), strict);
  assert.ok(gateway.log.lines.some(({ fields }) => String(fields.problem).startsWith('ssl/c asks clients of the same name')));
  // The first decides: other clients are let in, and those from before are not.
  await gateway.change({ op: 'delete', name: { kind: 'ssl', parentId: '', id: 'b' } });
  assert.deepEqual(await shownTo(t, gateway, { ...RSA_ONLY, ...mallory }), 'rsa 200');
  assert.deepEqual(await shownTo(t, gateway, { ...RSA_ONLY, ...alice }), 'rsa 400');
});

test('one that cannot be used, or offers other versions, takes nothing away from the others, and stands in the log', async (t) => {
  const authority = await TestAuthority.create();
  const [rsa, ecdsa, stranger] = await Promise.all([
    authority.issue({ commonName: 'rsa', keyType: 'rsa' }),
    authority.issue({ commonName: 'ecdsa' }),
    authority.issue({ keyType: 'rsa' }),
  ]);
  const gateway = await start(t, [ssl('a', { ...ecdsa }), ssl('b', { cert: rsa.cert, key: stranger.key })]);
  assert.equal(await shownTo(t, gateway), 'ecdsa 200');
  assert.match(await handshakeError(gateway.httpsPort, { servername: 'a.example', ...OLD_RSA_ONLY }), /HANDSHAKE_FAILURE/);
  await gateway.change({ op: 'put', item: ssl('b', { ...rsa, ssl_protocols: ['TLSv1.3'] }) });
  assert.match(await handshakeError(gateway.httpsPort, { servername: 'a.example', ...OLD_RSA_ONLY }), /HANDSHAKE_FAILURE/);
  await gateway.change({ op: 'put', item: ssl('b', { ...rsa }) });
  assert.equal(await shownTo(t, gateway, OLD_RSA_ONLY), 'rsa 200');
  const problems = gateway.log.lines.flatMap(({ fields }) => (fields.object === 'ssl/a' ? [String(fields.problem)] : []));
  assert.match(problems.join('\n'), /certificate of ssl\/b .* is left out: .*key values mismatch\n.*is left out: it offers other versions/);
});
