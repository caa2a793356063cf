import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { FakeClock } from '../../test-support/fake-clock.ts';
import { systemClock } from '../lib/clock.ts';
import { createAuthority, createSelfSignedCertificate, issueInstanceCertificate, issueServerCertificate } from './certificate-authority.ts';
import { formatInstanceUri, readInstanceName } from './instance-name.ts';

const NAMES = ['localhost', '127.0.0.1', '::1', 'gateway-host.example'];

function publicKeyPem(kind: 'p256' | 'ed25519' | 'rsa' = 'p256'): string {
  const { publicKey } =
    kind === 'p256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

describe('certificates of the sync authority', () => {
  test('an authority holds for ten years from five minutes ago and signs what it issues', async () => {
    const clock = new FakeClock();
    const authority = await createAuthority(clock);
    const certificate = new X509Certificate(authority.certificate);
    assert.equal(certificate.validFromDate.getTime(), clock.nowMs() - 300_000);
    assert.equal(certificate.validToDate.getTime(), clock.nowMs() + 3650 * 86_400_000);
    assert.equal(certificate.ca, true);

    const server = await issueServerCertificate(authority, { names: NAMES }, clock);
    const leaf = new X509Certificate(server.certificate);
    assert.ok(leaf.verify(certificate.publicKey));
    assert.equal(leaf.ca, false);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(server.privateKey)));
    assert.equal(leaf.checkHost('gateway-host.example'), 'gateway-host.example');
    assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
    assert.equal(leaf.checkIP('::1'), '::1');
    assert.equal(leaf.checkHost('elsewhere.example'), undefined);
  });

  test('an instance certificate carries its group and instance, whatever they are called, for 90 days', async () => {
    const clock = new FakeClock();
    const authority = await createAuthority(clock);
    for (const [groupId, instanceId] of [
      ['default', 'gw-1'],
      ['a/b', 'c, URI:portcullis://group/x/instance/y'],
      ['größe', '%2F"quoted\'(*)!'],
    ] as const) {
      const issued = await issueInstanceCertificate(authority, { groupId, instanceId, publicKey: publicKeyPem() }, clock);
      const certificate = new X509Certificate(issued.certificate);
      assert.deepEqual(readInstanceName(certificate), { groupId, instanceId });
      assert.equal(certificate.validToDate.getTime(), issued.expiresAtMs);
      assert.equal(issued.expiresAtMs, clock.nowMs() + 90 * 86_400_000);
    }
  });

  test('only P-256 and Ed25519 public keys are certified, and never under an empty name', async () => {
    const clock = new FakeClock();
    const authority = await createAuthority(clock);
    const request = { groupId: 'g', instanceId: 'i' };
    await issueInstanceCertificate(authority, { ...request, publicKey: publicKeyPem('ed25519') }, clock);
    await assert.rejects(issueInstanceCertificate(authority, { ...request, publicKey: publicKeyPem('rsa') }, clock), /P-256/);
    await assert.rejects(issueInstanceCertificate(authority, { ...request, publicKey: authority.privateKey }, clock), /PEM/);
    await assert.rejects(issueInstanceCertificate(authority, { ...request, publicKey: 'nonsense' }, clock), /PEM/);
    await assert.rejects(issueInstanceCertificate(authority, { groupId: '', instanceId: 'i', publicKey: publicKeyPem() }, clock), /name/);
    assert.throws(() => formatInstanceUri({ groupId: '\ud800', instanceId: 'i' }), /valid text/);
  });

  test('a certificate that is none of an instance names nobody', async () => {
    const authority = await createAuthority(systemClock);
    const server = await issueServerCertificate(authority, { names: NAMES }, systemClock);
    assert.throws(() => readInstanceName(new X509Certificate(authority.certificate)), /names no gateway instance/);
    assert.throws(() => readInstanceName(new X509Certificate(server.certificate)), /names no gateway instance/);
  });

  test('a self-signed certificate is reported as exactly that by a client that does not know it', async (t) => {
    const own = await createSelfSignedCertificate({ names: NAMES, lifetimeDays: 30 }, systemClock);
    const server = createServer({ key: own.privateKey, cert: own.certificate });
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const port = (server.address() as AddressInfo).port;

    const [error] = await once(connect({ port, host: '127.0.0.1' }), 'error');
    assert.equal(error.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');

    const trusting = connect({ port, host: '127.0.0.1', ca: own.certificate });
    await once(trusting, 'secureConnect');
    assert.equal(trusting.authorized, true);
    trusting.destroy();
  });
});
