import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { IdentityProviders } from './identity-provider.ts';
import type { LoginOption } from './login-option.ts';

const OPTION: LoginOption = {
  id: 'o',
  name: 'n',
  version: 1,
  isEnabled: true,
  issuer: 'https://id.example.com',
  clientId: 'c',
  clientSecret: undefined,
  publicUrl: 'https://gateway.example.com',
  scopes: ['openid'],
  usernameClaim: 'preferred_username',
  roleMapping: [],
  boundaryMapping: [],
};
const FLOW = { optionId: 'o', state: 's', nonce: 'n', codeVerifier: 'v'.repeat(43), expiresAt: 0 };

test('a provider that fails is asked again after five seconds, not by every visitor, and one that answers after ten minutes', async () => {
  const clock = new FakeClock();
  let asked = 0;
  let isUp = false;
  const providers = new IdentityProviders(async () => {
    asked += 1;
    if (!isUp) throw new TypeError('away');
    return Response.json({ issuer: OPTION.issuer, authorization_endpoint: `${OPTION.issuer}/auth` });
  }, clock);
  const ask = () => providers.authorizationUrl(OPTION, FLOW);
  const failure = { reason: 'identity_provider_failed' };
  await assert.rejects(ask(), failure);
  clock.advance(4_000);
  await assert.rejects(ask(), failure);
  clock.advance(999);
  await assert.rejects(ask(), failure);
  assert.equal(asked, 1);
  isUp = true;
  clock.advance(1);
  assert.match(await ask(), /^https:\/\/id\.example\.com\/auth\?/);
  await ask();
  assert.equal(asked, 2);
  clock.advance(600_000);
  await ask();
  await providers.authorizationUrl({ ...OPTION, version: 2 }, FLOW);
  assert.equal(asked, 4);
});
