import { byteStringOf } from '../../lib/byte-string.ts';
import type { Clock } from '../../lib/clock.ts';
import {
  type CredentialMatch,
  definePlugin,
  type JsonObject,
  type PhaseResult,
  type PluginAnswer,
  type PluginLog,
  type RequestView,
  refuse,
  type UnrecognisedClient,
  unrecognisedClient,
} from '../../plugin-kit/index.ts';
import { expiryMs, findClaimProblem, type TimeClaim } from './find-claim-problem.ts';
import { type FoundToken, findToken, hideToken, type TokenPlaces } from './find-token.ts';
import { jwtPayload } from './jwt-payload.ts';
import { type ParsedToken, parseToken } from './parse-token.ts';
import { type JwtAuthConfiguration, jwtAuthSchema } from './schema.ts';
import { importVerificationKey } from './verification-key.ts';
import { verifySignature } from './verify-signature.ts';

/** A configuration with all that can be prepared before the first request. */
interface JwtAuthState {
  readonly places: TokenPlaces;
  readonly hideCredentials: boolean;
  readonly keyClaimName: string;
  readonly keepsPayload: boolean;
  readonly claimsToVerify: readonly TimeClaim[];
  readonly unrecognised: UnrecognisedClient;
  readonly refusals: Readonly<Record<'missing' | 'malformed' | 'keyMissing' | 'keyInvalid' | 'notVerified', PluginAnswer>>;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly log: PluginLog;
}

/** Whose token it is, or the answer that says what is wrong with it. */
type Examination =
  | { readonly kind: 'passed'; readonly credential: CredentialMatch; readonly payload: JsonObject; readonly untilMs: number }
  | { readonly kind: 'failed'; readonly refusal: PluginAnswer };

/**
 * Lets a request pass when it carries a JSON Web Token that is signed with the key of a credential, in a header, a query argument or a
 * cookie. Behaviour and texts are those of APISIX's jwt-auth; the reading is strict.
 */
export const jwtAuth = definePlugin<JwtAuthConfiguration, JwtAuthState>({
  ...jwtAuthSchema,
  create: (configuration, { expiryClock, log }) => {
    const headers = [['WWW-Authenticate', `Bearer realm="${configuration.realm}"`]] as const;
    const { header, query, cookie } = configuration;
    return {
      places: { lowerCaseHeader: header.toLowerCase(), query, cookie },
      hideCredentials: configuration.hide_credentials,
      keyClaimName: configuration.key_claim_name,
      keepsPayload: configuration.store_in_ctx,
      claimsToVerify: configuration.claims_to_verify ?? [],
      unrecognised: unrecognisedClient(configuration.anonymous_consumer, headers),
      refusals: {
        missing: refuse('jwt_missing', { headers }),
        malformed: refuse('jwt_malformed', { headers }),
        keyMissing: refuse('jwt_key_missing', { headers }),
        keyInvalid: refuse('jwt_key_invalid', { headers }),
        notVerified: refuse('jwt_not_verified', { headers }),
      },
      expiryClock,
      log,
    };
  },
  phases: {
    rewrite: (request, state) => {
      const found = findToken(request, state.places);
      if (found === undefined) return state.unrecognised(request, state.refusals.missing);
      const examination = examine(request, found.token, state);
      const answer = conclude(request, examination, state);
      if (answer === undefined) hide(request, found, state);
      return answer;
    },
  },
});

/** Checks in APISIX's order, which decides the text that a client reads. */
function examine(request: RequestView, text: string, state: JwtAuthState): Examination {
  const { refusals, keyClaimName } = state;
  const token = parseToken(text);
  if (token === undefined) return { kind: 'failed', refusal: refusals.malformed };
  const key = Object.hasOwn(token.payload, keyClaimName) ? token.payload[keyClaimName] : undefined;
  if (key === undefined) return { kind: 'failed', refusal: refusals.keyMissing };
  const credential = typeof key === 'string' ? request.findCredential(jwtAuthSchema.name, byteStringOf(key)) : undefined;
  if (credential === undefined) return { kind: 'failed', refusal: refusals.keyInvalid };
  const verdict = verify(token, credential, state);
  if (typeof verdict === 'number') return { kind: 'passed', credential, payload: token.payload, untilMs: verdict };
  state.log.info('jwt-auth could not verify a token', { problem: verdict });
  return { kind: 'failed', refusal: refusals.notVerified };
}

/** Why the token is not to be trusted; until when where it is, in Unix milliseconds. */
function verify(token: ParsedToken, credential: CredentialMatch, { claimsToVerify, expiryClock }: JwtAuthState): string | number {
  try {
    const key = credential.prepared(importVerificationKey);
    if (!verifySignature(token, key)) return 'algorithm or signature do not fit the credential';
    const rules = { claimsToVerify, gracePeriodS: key.gracePeriodS, nowS: expiryClock.nowMs() / 1000 };
    return findClaimProblem(token.payload, rules) ?? expiryMs(token.payload, rules);
  } catch {
    return 'the key of the credential cannot be used for it';
  }
}

function conclude(request: RequestView, examination: Examination, state: JwtAuthState): PhaseResult {
  if (examination.kind === 'failed') return state.unrecognised(request, examination.refusal);
  if (state.keepsPayload) request.set(jwtPayload, examination.payload);
  request.attachConsumer(examination.credential, examination.untilMs);
  return undefined;
}

/**
 * APISIX takes the token away before it looks at it; here a refused request stays whole, so that under multi-auth the next plugin sees
 * it as the client sent it. Upstreams cannot tell the difference.
 */
function hide(request: RequestView, found: FoundToken, state: JwtAuthState): void {
  if (state.hideCredentials) hideToken(request, state.places, found);
}
