import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import type { ClientTls } from '../../engine/index.ts';
import { ClientPolicy } from './client-policy.ts';

test('the verdict tells a way that is too long from one that cannot be seen', async () => {
  const root = await TestAuthority.create();
  const between = await root.intermediate('one');
  const further = await between.intermediate('two');
  const old = await root.certifyAgain(between, new Date(Date.now() - 1000));
  const rules = { authority: root.cert, authorityIds: [], depth: 1, skippedPaths: [] };
  const policy = new ClientPolicy('ssl/a', rules, [], { onProblem: () => {}, nowMs: Date.now });
  const alice = (await between.issue()).cert.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const dave = (await further.issue()).cert.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  const verdictOn = (chain: readonly string[], problem?: string): string => {
    const certificate = { isShown: true, problem, chain: chain.map((pem) => new X509Certificate(pem)) };
    const tls: Pick<ClientTls, 'certificate'> = { certificate };
    return policy.verdict(tls as ClientTls);
  };
  assert.equal(verdictOn(alice), 'SUCCESS');
  assert.equal(verdictOn(dave), 'FAILED:CERT_CHAIN_TOO_LONG');
  assert.equal(verdictOn([alice[0] ?? '', old]), 'FAILED:CERT_CHAIN_NOT_FOUND');
  assert.equal(verdictOn(alice, 'CERT_HAS_EXPIRED'), 'FAILED:CERT_HAS_EXPIRED');
});
