import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import Provider from 'oidc-provider';
import { systemRandom } from '../../lib/random.ts';

/** A real OpenID Connect provider on a loopback port, at which whoever comes is the user that the test has set. */
export interface TestIdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in next; undefined: the user declines. */
  user: { readonly sub: string; readonly claims: Readonly<Record<string, unknown>> } | undefined;
  /** Goes through the provider as a browser would, from its authorization URL to where it sends the browser back. */
  visit(url: string): Promise<URL>;
}

export async function startIdentityProvider(test: Pick<TestContext, 'after'>, redirectUri: string): Promise<TestIdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clientSecret = systemRandom.bytes(32).toString('hex');
  const provider: TestIdentityProvider = { issuer, clientId: 'portcullis', clientSecret, user: undefined, visit };
  serve(server, provider, redirectUri);
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return provider;
}

function serve(server: Server, settings: TestIdentityProvider, redirectUri: string): void {
  const oidc = new Provider(settings.issuer, {
    clients: [
      {
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    cookies: { keys: [systemRandom.bytes(32).toString('hex')] },
    jwks: { keys: [makeSigningKey()] },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups', 'realm_access'], email: ['email', 'email_verified'] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub, ...settings.user?.claims }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: { Session: 60, Interaction: 60, Grant: 60, AccessToken: 60, IdToken: 60 },
  });
  const answer = oidc.callback();
  server.on('request', (request, response) => {
    if (request.url?.startsWith('/interaction/') !== true) {
      void answer(request, response);
      return;
    }
    void finish(oidc, settings, request, response);
  });
}

async function finish(
  oidc: Provider,
  { user, clientId }: TestIdentityProvider,
  request: Parameters<ReturnType<Provider['callback']>>[0],
  response: Parameters<ReturnType<Provider['callback']>>[1],
): Promise<void> {
  if (user === undefined) {
    await oidc.interactionFinished(request, response, { error: 'access_denied' });
    return;
  }
  const grant = new oidc.Grant({ accountId: user.sub, clientId });
  grant.addOIDCScope('openid profile email');
  await oidc.interactionFinished(request, response, { login: { accountId: user.sub }, consent: { grantId: await grant.save() } });
}

function makeSigningKey(): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'test' };
}

async function visit(start: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(start);
  let url = new URL(start);
  while (url.origin === origin) {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
    const answer = await fetch(url, { headers, redirect: 'manual' });
    await answer.arrayBuffer();
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`the provider answered ${answer.status}`);
    url = new URL(location, url);
  }
  return url;
}
