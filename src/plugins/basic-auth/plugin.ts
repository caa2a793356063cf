import { equalInConstantTime } from '../../lib/equal-in-constant-time.ts';
import {
  type ConsumerMatch,
  definePlugin,
  type JsonObject,
  type PhaseResult,
  type PluginAnswer,
  type RequestView,
  refuse,
  type UnrecognisedClient,
  unrecognisedClient,
} from '../../plugin-kit/index.ts';
import { type BasicCredentials, readBasicCredentials } from './read-basic-credentials.ts';
import { type BasicAuthConfiguration, basicAuthSchema } from './schema.ts';

/** A configuration with all that can be prepared before the first request. */
interface BasicAuthState {
  readonly hideCredentials: boolean;
  readonly unrecognised: UnrecognisedClient;
  readonly missing: PluginAnswer;
  readonly malformed: PluginAnswer;
  readonly invalid: PluginAnswer;
}

/** What is known of an unknown user, as text like everything that is known of others: reading it takes as long. No password has this digest. */
const NOBODY = JSON.stringify({ password_digest: `${'A'.repeat(43)}=` });

/**
 * Lets a request pass when it carries the user name and password of a consumer in `Authorization`. Behaviour and texts are those of
 * APISIX's basic-auth; passwords are compared by their salted digests.
 */
export const basicAuth = definePlugin<BasicAuthConfiguration, BasicAuthState>({
  ...basicAuthSchema,
  create: ({ realm, hide_credentials, anonymous_consumer }) => {
    const headers = [['WWW-Authenticate', `Basic realm="${realm}"`]] as const;
    return {
      hideCredentials: hide_credentials,
      unrecognised: unrecognisedClient(anonymous_consumer, headers),
      missing: refuse('authorization_missing', { headers }),
      malformed: refuse('authorization_invalid', { headers }),
      invalid: refuse('user_invalid', { headers }),
    };
  },
  phases: {
    rewrite: (request, state) => {
      const authorization = request.header('authorization');
      if (authorization === undefined) return continueUnrecognised(request, state, state.missing);
      const credentials = readBasicCredentials(authorization);
      if (credentials === undefined) return continueUnrecognised(request, state, state.malformed);
      const consumer = findConsumer(request, credentials);
      if (consumer === undefined) return continueUnrecognised(request, state, state.invalid);
      if (state.hideCredentials) request.removeHeader('authorization');
      request.attachConsumer(consumer);
      return undefined;
    },
  },
});

function continueUnrecognised(request: RequestView, state: BasicAuthState, refusal: PluginAnswer): PhaseResult {
  const answer = state.unrecognised(request, refusal);
  // What did not count may be a password with a typing mistake.
  if (answer === undefined && state.hideCredentials) request.removeHeader('authorization');
  return answer;
}

/** An unknown user costs what a wrong password costs: one reading, one digest and one comparison. */
function findConsumer(request: RequestView, { username, password }: BasicCredentials): ConsumerMatch | undefined {
  const credential = request.findCredential(basicAuthSchema.name, username);
  const data: JsonObject = credential?.data ?? JSON.parse(NOBODY);
  const presented = request.digest(password);
  const known = typeof data.password_digest === 'string' ? data.password_digest : '';
  // An empty password is refused on every write; this holds even if one got in another way.
  const matches = presented !== undefined && equalInConstantTime(presented, known) && password !== '';
  return matches ? credential : undefined;
}
