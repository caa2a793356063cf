import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { IdentityProviders } from './identity-provider.ts';
import type { LoginOption } from './login-option.ts';

const ISSUER = 'https://id.example.com';
const SECRET = 'the secret that this client has at the provider';
const OPTION: LoginOption = {
  id: 'o',
  name: 'n',
  version: 1,
  isEnabled: true,
  issuer: ISSUER,
  clientId: 'portcullis',
  clientSecret: SECRET,
  publicUrl: 'https://gateway.example.com',
  scopes: ['openid'],
  usernameClaim: 'preferred_username',
  roleMapping: [],
  boundaryMapping: [],
};
const FLOW = { optionId: 'o', state: 'the state', nonce: 'the nonce', codeVerifier: 'v'.repeat(43), expiresAt: 0 };
const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

type Claims = Readonly<Record<string, unknown>>;
type Token = (header: Claims, claims: Claims) => string;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const withRsa =
  (key: KeyObject): Token =>
  (header, claims) => {
    const content = `${encode({ alg: 'RS256', kid: 'k', ...header })}.${encode(claims)}`;
    return `${content}.${createSign('sha256').update(content).sign(key).toString('base64url')}`;
  };
const withHmac =
  (secret: string): Token =>
  (header, claims) => {
    const content = `${encode({ alg: 'HS256', ...header })}.${encode(claims)}`;
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  };
const unsigned: Token = (_header, claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`;

/** What a provider does otherwise than it should. */
interface Change {
  readonly token?: Token;
  readonly header?: Claims;
  readonly claims?: Claims;
  readonly userInfo?: Claims;
  readonly metadata?: Claims;
  readonly query?: string;
}

/** The claims that are taken from a provider which behaves but for the change. */
function claimsFrom(change: Change): Promise<Claims> {
  const now = Math.floor(Date.now() / 1000);
  const { token = withRsa(own.privateKey), header = {}, claims = {}, userInfo = {}, metadata = {} } = change;
  const idToken = token(header, {
    ...{ iss: ISSUER, sub: 'jane', aud: 'portcullis', exp: now + 60, iat: now, nonce: 'the nonce' },
    ...claims,
  });
  const answers: Readonly<Record<string, unknown>> = {
    '/.well-known/openid-configuration': {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/auth`,
      token_endpoint: `${ISSUER}/token`,
      userinfo_endpoint: `${ISSUER}/me`,
      jwks_uri: `${ISSUER}/jwks`,
      // A provider that is not told apart from its attacker offers whatever the attacker likes.
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      authorization_response_iss_parameter_supported: true,
      ...metadata,
    },
    '/jwks': { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig' }] },
    '/token': { access_token: 'a', token_type: 'bearer', id_token: idToken },
    '/me': { sub: 'jane', ...userInfo },
  };
  const providers = new IdentityProviders(async (url) => Response.json(answers[new URL(url).pathname] ?? {}), new FakeClock());
  const query = change.query ?? `code=c&state=the%20state&iss=${encodeURIComponent(ISSUER)}`;
  return providers.claims(OPTION, FLOW, new URLSearchParams(query));
}

test('what a provider signs for us, now and for this sign-in, is believed, and before what it only tells', async () => {
  const claims = await claimsFrom({ claims: { groups: ['dev'] }, userInfo: { groups: ['admins'], email: 'jane@example.com' } });
  assert.deepEqual([claims.sub, claims.groups, claims.email], ['jane', ['dev'], 'jane@example.com']);
});

const past = Math.floor(Date.now() / 1000) - 3_600;
const publicPem = own.publicKey.export({ format: 'pem', type: 'spki' }).toString();
const LIES: Readonly<Record<string, Change>> = {
  'an ID token without a signature': { token: unsigned },
  'an ID token under the client’s own secret': { token: withHmac(SECRET) },
  'an ID token under the public key taken for a secret': { token: withHmac(publicPem) },
  'an ID token under another key': { token: withRsa(foreign.privateKey) },
  'an ID token that brings its key along': {
    token: withRsa(foreign.privateKey),
    header: { jwk: foreign.publicKey.export({ format: 'jwk' }), kid: undefined },
  },
  'an ID token under a key that the set does not have': { header: { kid: 'other' } },
  'an ID token with a critical extension': { header: { crit: ['b64'], b64: false } },
  'an ID token for another client': { claims: { aud: 'other' } },
  'an ID token for several clients that another one asked for': { claims: { aud: ['portcullis', 'other'], azp: 'other' } },
  'an ID token of another issuer': { claims: { iss: 'https://evil.example.com' } },
  'an ID token of another sign-in': { claims: { nonce: 'another' } },
  'an ID token of no sign-in': { claims: { nonce: undefined } },
  'an ID token that has expired': { claims: { exp: past, iat: past - 60 } },
  'an ID token that never expires': { claims: { exp: undefined } },
  'an ID token without a subject': { claims: { sub: '' } },
  'a subject that is no text': { claims: { sub: ['jane'] } },
  'a subject of endless length': { claims: { sub: 'x'.repeat(256) }, userInfo: { sub: 'x'.repeat(256) } },
  'user info about somebody else': { userInfo: { sub: 'root' } },
  'metadata of another issuer': { metadata: { issuer: 'https://evil.example.com' } },
  'an answer of another issuer': { query: 'code=c&state=the%20state&iss=https%3A%2F%2Fevil.example.com' },
  'an answer that does not say of which issuer, where the provider says it does': { query: 'code=c&state=the%20state' },
  'an answer to another sign-in': { query: `code=c&state=other&iss=${encodeURIComponent(ISSUER)}` },
};
for (const [what, change] of Object.entries(LIES)) {
  test(`${what} signs nobody in`, async () => {
    await assert.rejects(claimsFrom(change));
  });
}
