import {
  type CredentialMatch,
  definePlugin,
  type PhaseResult,
  type PluginAnswer,
  type PluginLog,
  type RequestView,
  refuse,
  type UnrecognisedClient,
  unrecognisedClient,
} from '../../plugin-kit/index.ts';
import { compareBody } from './compare-body.ts';
import { readSignatureHeader } from './read-signature-header.ts';
import { type HmacAuthConfiguration, hmacAuthSchema } from './schema.ts';
import { type SignatureRules, verifyRequest } from './verify-request.ts';

/** A configuration with all that can be prepared before the first request. */
interface HmacAuthState {
  readonly rules: SignatureRules;
  readonly validatesBody: boolean;
  readonly maxBodyBytes: number;
  readonly hideCredentials: boolean;
  readonly unrecognised: UnrecognisedClient;
  readonly missing: PluginAnswer;
  readonly otherScheme: PluginAnswer;
  readonly invalid: PluginAnswer;
  readonly log: PluginLog;
}

const INVALID = "client request can't be validated";

/**
 * Lets a request pass when it is signed with the secret of a credential, by HTTP signatures in the form of APISIX's hmac-auth.
 * Behaviour and texts are APISIX's; signatures and digests are compared in constant time.
 */
export const hmacAuth = definePlugin<HmacAuthConfiguration, HmacAuthState>({
  ...hmacAuthSchema,
  create: (configuration, { expiryClock, log }) => {
    const headers = [['WWW-Authenticate', `hmac realm="${configuration.realm}"`]] as const;
    const refusal = (message: string): PluginAnswer => refuse('hmac_invalid', { headers, message });
    return {
      rules: {
        allowedAlgorithms: new Set(configuration.allowed_algorithms),
        clockSkewS: configuration.clock_skew,
        signedHeaders: configuration.signed_headers,
        expiryClock,
      },
      validatesBody: configuration.validate_request_body,
      maxBodyBytes: configuration.max_req_body_size,
      hideCredentials: configuration.hide_credentials,
      unrecognised: unrecognisedClient(configuration.anonymous_consumer, headers),
      missing: refusal(`${INVALID}: missing Authorization header`),
      otherScheme: refusal(`${INVALID}: Authorization header does not start with 'Signature'`),
      invalid: refusal(INVALID),
      log,
    };
  },
  phases: {
    rewrite: (request, state) => {
      const authorization = request.header('authorization');
      if (authorization === undefined) return continueUnrecognised(request, state, state.missing);
      const claimed = readSignatureHeader(authorization);
      if (claimed === undefined) return continueUnrecognised(request, state, state.otherScheme);
      const verdict = verifyRequest(request, claimed, state.rules);
      if (verdict.kind === 'invalid') return continueInvalid(request, state, verdict.problem);
      if (!state.validatesBody) return accept(request, state, verdict.credential);
      return acceptWithBody(request, state, verdict.credential);
    },
  },
});

/** Last of all checks: only of somebody who is known is a body kept in memory. */
async function acceptWithBody(request: RequestView, state: HmacAuthState, credential: CredentialMatch): Promise<PhaseResult> {
  const comparison = await compareBody(request, state.maxBodyBytes);
  switch (comparison.kind) {
    case 'equal':
      return accept(request, state, credential);
    case 'different':
      return continueInvalid(request, state, 'Invalid digest');
    case 'too-large':
      return tooLarge(comparison.size, state.maxBodyBytes);
  }
}

function accept(request: RequestView, state: HmacAuthState, credential: CredentialMatch): undefined {
  if (state.hideCredentials) request.removeHeader('authorization');
  request.attachConsumer(credential);
}

function continueInvalid(request: RequestView, state: HmacAuthState, problem: string): PhaseResult {
  state.log.info('hmac-auth could not validate a request', { problem });
  return continueUnrecognised(request, state, state.invalid);
}

function continueUnrecognised(request: RequestView, state: HmacAuthState, refusal: PluginAnswer): PhaseResult {
  const answer = state.unrecognised(request, refusal);
  if (answer === undefined && state.hideCredentials) request.removeHeader('authorization');
  return answer;
}

/** Not even an anonymous consumer may send more than can be compared. */
function tooLarge(size: number, maxBytes: number): PluginAnswer {
  return refuse('body_too_large', { message: `request size ${size} is greater than the maximum size ${maxBytes} allowed` });
}
