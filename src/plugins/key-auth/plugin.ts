import {
  type ConsumerMatch,
  definePlugin,
  type PhaseResult,
  type PluginAnswer,
  type RequestView,
  refuse,
  type UnrecognisedClient,
  unrecognisedClient,
} from '../../plugin-kit/index.ts';
import { type KeyAuthConfiguration, keyAuthSchema } from './schema.ts';

/** A configuration with all that can be prepared before the first request. */
interface KeyAuthState {
  readonly lowerCaseHeader: string;
  readonly query: string;
  readonly hideCredentials: boolean;
  readonly unrecognised: UnrecognisedClient;
  readonly keyMissing: PluginAnswer;
  readonly keyInvalid: PluginAnswer;
}

/** Where a key was found. `unusable`: something stands in its place that can be no key. */
type PresentedKey =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable' }
  | { readonly kind: 'header'; readonly key: string }
  | { readonly kind: 'query'; readonly key: string };

/**
 * Lets a request pass when it carries the API key of a consumer, in a header or else in a query argument, and tells the upstream
 * who it was. Behaviour and texts are those of APISIX's key-auth.
 */
export const keyAuth = definePlugin<KeyAuthConfiguration, KeyAuthState>({
  ...keyAuthSchema,
  create: (configuration) => {
    const headers = [['WWW-Authenticate', `apikey realm="${configuration.realm}"`]] as const;
    return {
      lowerCaseHeader: configuration.header.toLowerCase(),
      query: configuration.query,
      hideCredentials: configuration.hide_credentials,
      unrecognised: unrecognisedClient(configuration.anonymous_consumer, headers),
      keyMissing: refuse('key_missing', { headers }),
      keyInvalid: refuse('key_invalid', { headers }),
    };
  },
  phases: {
    rewrite: (request, state) => {
      const presented = findKey(request, state);
      const consumer = findConsumer(request, presented);
      if (consumer === undefined) {
        return continueUnrecognised(request, state, presented.kind === 'absent' ? state.keyMissing : state.keyInvalid);
      }
      // Only the place that was used is hidden: a copy of the key elsewhere is the client's own doing, and APISIX leaves it.
      if (state.hideCredentials && presented.kind === 'header') request.removeHeader(state.lowerCaseHeader);
      if (state.hideCredentials && presented.kind === 'query') request.removeQueryArgument(state.query);
      request.attachConsumer(consumer);
      return undefined;
    },
  },
});

/** The header comes first, even when it is empty or wrong: a right key in the query does not rescue it. */
function findKey(request: RequestView, state: KeyAuthState): PresentedKey {
  const header = request.header(state.lowerCaseHeader);
  if (header !== undefined) return { kind: 'header', key: header };
  const argument = request.queryArgument(state.query);
  switch (argument.kind) {
    case 'absent':
      return argument;
    case 'flag':
    case 'repeated':
      return { kind: 'unusable' };
    case 'single':
      return { kind: 'query', key: argument.value };
  }
}

function findConsumer(request: RequestView, presented: PresentedKey): ConsumerMatch | undefined {
  switch (presented.kind) {
    case 'absent':
    case 'unusable':
      return undefined;
    case 'header':
    case 'query':
      // An empty key is refused on every write; this holds even if one got in another way.
      return presented.key === '' ? undefined : request.findConsumerByKey(keyAuthSchema.name, presented.key);
  }
}

function continueUnrecognised(request: RequestView, state: KeyAuthState, refusal: PluginAnswer): PhaseResult {
  const answer = state.unrecognised(request, refusal);
  if (answer === undefined && state.hideCredentials) {
    // What did not count as a key may be one with a typing mistake, so neither place reaches the upstream.
    request.removeHeader(state.lowerCaseHeader);
    request.removeQueryArgument(state.query);
  }
  return answer;
}
