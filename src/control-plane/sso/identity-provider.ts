import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client';
import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type LoginOption, redirectUriOf } from './login-option.ts';
import type { SignInFlow } from './sealed-flow.ts';

/** What a provider tells of itself is asked for again after so long. */
const KEEP_MS = 600_000;
/** After a failure. */
const REST_MS = 5_000;
const TIMEOUT_SECONDS = 10;
const MAX_SUBJECT_CHARACTERS = 255;

interface Known {
  readonly version: number;
  readonly untilMs: number;
  readonly configuration: Promise<Configuration>;
}

/** Speaks with identity providers by OpenID Connect: authorization code with PKCE, signed ID tokens, user info. */
export class IdentityProviders {
  readonly #fetch: CustomFetch;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #known = new Map<string, Known>();

  constructor(fetch: CustomFetch, clock: Pick<Clock, 'monotonicMs'>) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** Where to send a browser. @throws PortcullisError 502 */
  async authorizationUrl(option: LoginOption, flow: SignInFlow): Promise<string> {
    const configuration = await this.#configurationOf(option);
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUriOf(option),
      scope: option.scopes.join(' '),
      response_type: 'code',
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: await calculatePKCECodeChallenge(flow.codeVerifier),
      code_challenge_method: 'S256',
    });
    return url.href;
  }

  /**
   * The claims of the user whom the provider sent back with this query.
   *
   * @throws PortcullisError 502 when the provider cannot be asked; whatever openid-client throws when the answer does not belong to the
   * flow, or the provider declined
   */
  async claims(option: LoginOption, flow: SignInFlow, query: URLSearchParams): Promise<JsonObject & { readonly sub: string }> {
    const configuration = await this.#configurationOf(option);
    const tokens = await authorizationCodeGrant(configuration, new URL(`${redirectUriOf(option)}?${query}`), {
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      pkceCodeVerifier: flow.codeVerifier,
      idTokenExpected: true,
    });
    const signed = tokens.claims();
    if (signed === undefined) throw new Error('the provider sent no ID token');
    // OpenID Connect Core, section 2. It is kept, and by it the user is found again.
    if (signed.sub === '' || signed.sub.length > MAX_SUBJECT_CHARACTERS)
      throw new Error('the subject of the ID token is empty or too long');
    const hasUserInfo = configuration.serverMetadata().userinfo_endpoint !== undefined;
    const told = hasUserInfo ? await fetchUserInfo(configuration, tokens.access_token, signed.sub) : {};
    // Both came as JSON; what is signed counts first.
    return { ...told, ...signed } as unknown as JsonObject & { readonly sub: string };
  }

  async #configurationOf(option: LoginOption): Promise<Configuration> {
    const known = this.#known.get(option.id);
    const isFresh = known !== undefined && known.version === option.version && this.#clock.monotonicMs() < known.untilMs;
    const configuration = isFresh ? known.configuration : this.#discover(option);
    if (!isFresh) this.#keep(option, configuration);
    try {
      return await configuration;
    } catch (cause) {
      throw new PortcullisError('identity_provider_failed', { detail: `the identity provider ${option.issuer} failed`, cause });
    }
  }

  /** A provider that fails is not asked again with every visitor, but a little later. */
  #keep({ id, version }: LoginOption, configuration: Promise<Configuration>): void {
    this.#known.set(id, { version, untilMs: this.#clock.monotonicMs() + KEEP_MS, configuration });
    configuration.catch(() => {
      if (this.#known.get(id)?.configuration !== configuration) return;
      this.#known.set(id, { version, untilMs: this.#clock.monotonicMs() + REST_MS, configuration });
    });
  }

  #discover({ issuer, clientId, clientSecret }: LoginOption): Promise<Configuration> {
    const isPlain = issuer.startsWith('http:');
    return discovery(new URL(issuer), clientId, clientSecret, undefined, {
      execute: [enableNonRepudiationChecks, ...(isPlain ? [allowInsecureRequests] : [])],
      timeout: TIMEOUT_SECONDS,
      [customFetch]: this.#fetch,
    });
  }
}
