import { PortcullisError } from '../../errors/index.ts';
import { createSession, randomSecret, readCookie, SESSION_SECONDS, sessionCookie } from '../auth/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { change, expiryNow, notFound, type PeopleContext } from '../people/people-context.ts';
import { externalIdOf, putExternalUser } from './external-user.ts';
import type { IdentityProviders } from './identity-provider.ts';
import { findLoginOption, LOGIN_OPTION_KIND, type LoginOption, loginOptionOf } from './login-option.ts';
import { mapClaims } from './map-claims.ts';
import { openFlow, openFlowKey, type SignInFlow, sealFlow } from './sealed-flow.ts';

/** How long a browser may stay at the provider. */
const FLOW_SECONDS = 600;
/** Lax: the provider sends the browser here from its own site, and a strict cookie would stay at home. */
const FLOW_COOKIE = '__Host-portcullis-sso';

/** Gives the one that speaks with providers. */
type OpenProviders = () => Promise<IdentityProviders>;

/** Signing in at an identity provider: there, and back again. */
export function signInRoutes(context: PeopleContext, providers: OpenProviders): readonly ApiRoute[] {
  return [
    { method: 'GET', path: '/api/sign_in_options', permission: 'public', handle: () => listSignInOptions(context) },
    { method: 'GET', path: '/api/oidc/:id/login', permission: 'public', handle: (request) => begin(context, providers, request) },
    { method: 'GET', path: '/api/oidc/callback', permission: 'public', handle: (request) => complete(context, providers, request) },
  ];
}

/** What a sign-in page offers: names, and nothing of how they are set up. */
async function listSignInOptions({ store }: PeopleContext): Promise<ApiAnswer> {
  const options = (await store.listRecords(LOGIN_OPTION_KIND)).map(loginOptionOf).filter(({ isEnabled }) => isEnabled);
  const list = options.map(({ id, name }) => ({ id, name, provider: 'oidc', login_path: `/api/oidc/${id}/login` }));
  return { body: { list, total: list.length } };
}

async function begin(context: PeopleContext, providers: OpenProviders, request: ApiRequest): Promise<ApiAnswer> {
  const { random } = context.people;
  const option = await enabledOption(context, request.parameters.get('id') ?? '');
  const flow: SignInFlow = {
    optionId: option.id,
    state: randomSecret(random),
    nonce: randomSecret(random),
    codeVerifier: randomSecret(random),
    expiresAt: expiryNow(context) + FLOW_SECONDS,
  };
  const location = await (await providers()).authorizationUrl(option, flow);
  const value = sealFlow(await openFlowKey(context.store, random), random, flow);
  return { status: 303, headers: { location, 'set-cookie': flowCookie(value, FLOW_SECONDS) }, body: undefined };
}

async function complete(context: PeopleContext, providers: OpenProviders, request: ApiRequest): Promise<ApiAnswer> {
  const { people, store, clock } = context;
  const key = await openFlowKey(store, people.random);
  const flow = openFlow(key, readCookie(request.header('cookie'), FLOW_COOKIE) ?? '', expiryNow(context));
  if (flow === undefined) throw failed('it was not begun in this browser, or has taken too long');
  const option = await enabledOption(context, flow.optionId);
  const claims = await claimsOf(context, providers, request, { option, flow });
  const mapped = mapClaims(option, claims);
  const author = { id: externalIdOf(option.id, claims.sub), name: mapped.username };
  const cookie = await change(
    context,
    request,
    async (transaction) => {
      const now = Math.floor(clock.nowMs() / 1000);
      // The provider took its time: whoever was let in by what is gone meanwhile would stay for ever.
      const current = await findLoginOption(transaction, option.id);
      if (current?.isEnabled !== true || current.version !== option.version) throw failed('its set-up has changed meanwhile: begin again');
      const user = await putExternalUser(transaction, people.random, author.id, mapped, now);
      const session = { user, method: 'oidc', address: request.address, now: expiryNow(context) };
      const result = await createSession(transaction, people.random, session);
      const detail = { method: 'oidc', login_option: option.id, roles: user.roles };
      return { result, action: 'user.sign-in', resource: `user/${user.id}`, detail };
    },
    author,
  );
  people.onSignIn();
  const cookies = [sessionCookie(cookie, SESSION_SECONDS), flowCookie('', 0)];
  return { status: 303, headers: { location: '/', 'set-cookie': cookies }, body: undefined };
}

async function claimsOf(
  context: PeopleContext,
  providers: OpenProviders,
  request: ApiRequest,
  { option, flow }: { readonly option: LoginOption; readonly flow: SignInFlow },
): ReturnType<IdentityProviders['claims']> {
  try {
    return await (await providers()).claims(option, flow, request.query);
  } catch (error) {
    if (error instanceof PortcullisError) throw error;
    // The library's codes name what did not fit, and hold no value of the exchange.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    context.log.warn('a sign-in at an identity provider failed', { loginOption: option.id, code, address: request.address });
    await recordFailure(context, request, option, code);
    throw failed('the identity provider did not confirm it');
  }
}

async function recordFailure(context: PeopleContext, request: ApiRequest, option: LoginOption, code: string): Promise<void> {
  if (!context.people.throttle.takesIntoAudit(request.address)) return;
  const author = { id: 'unknown', name: 'unknown' };
  const entry = { action: 'user.sign-in-failed', resource: 'user/unknown', detail: { method: 'oidc', login_option: option.id, code } };
  await change(context, request, async () => ({ result: undefined, ...entry }), author);
}

async function enabledOption({ store }: PeopleContext, id: string): Promise<LoginOption> {
  const option = await findLoginOption(store, id, { secrets: true });
  if (option?.isEnabled !== true) throw notFound('login option');
  return option;
}

function failed(why: string): PortcullisError {
  return new PortcullisError('admin_unauthorized', { publicMessage: `the sign-in failed: ${why}` });
}

function flowCookie(value: string, maxAgeSeconds: number): string {
  return `${FLOW_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; Secure; SameSite=Lax`;
}
