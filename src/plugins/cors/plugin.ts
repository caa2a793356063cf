import { byteStringOf } from '../../lib/byte-string.ts';
import {
  compileRegexes,
  definePlugin,
  type JsonObject,
  type PluginAnswer,
  type RequestView,
  type ResponseHead,
  requestSlot,
  respond,
} from '../../plugin-kit/index.ts';
import { type AnswerOrigin, originsOfRegexes, originsOfSets, originsOfText } from './allowed-origins.ts';
import { type CorsConfiguration, corsSchema } from './schema.ts';

interface CorsState {
  readonly allowedOrigin: AnswerOrigin;
  readonly timingOrigin: AnswerOrigin | undefined;
  /** Answers differ by origin, and caches must know. */
  readonly varies: boolean;
  /** Undefined: the headers that the client asks for. */
  readonly allowHeaders: string | undefined;
  /** All headers that are the same for every request. */
  readonly fixedHeaders: ReadonlyArray<readonly [name: string, value: string]>;
  readonly preflight: PluginAnswer;
}

/** What the client sent, whatever other plugins make of it on the way to the upstream. */
interface ClientWish {
  readonly origin: string | undefined;
  readonly requestedHeaders: string | undefined;
}

const ALL_METHODS = 'GET,POST,PUT,DELETE,PATCH,HEAD,OPTIONS,CONNECT,TRACE';
const wishSlot = requestSlot<ClientWish>('cors');

/**
 * Tells browsers which pages may read the answers, on every answer, and answers every OPTIONS itself before anybody is asked who they
 * are. As APISIX's cors.
 */
export const cors = definePlugin<CorsConfiguration, CorsState>({
  ...corsSchema,
  create: (configuration, { metadata }) => ({
    allowedOrigin: allowedOrigin(configuration, metadata),
    timingOrigin: timingOrigin(configuration),
    varies: configuration.allow_origins !== '*',
    allowHeaders: configuration.allow_headers === '**' ? undefined : byteStringOf(configuration.allow_headers),
    fixedHeaders: fixedHeaders(configuration),
    preflight: respond(200, ''),
  }),
  phases: {
    rewrite: (request, { preflight }) => {
      // The cors of a global rule may have looked before, at a request that was still the client's own.
      if (request.get(wishSlot) === undefined) request.set(wishSlot, readWish(request));
      return request.method === 'OPTIONS' ? preflight : undefined;
    },
    headerFilter: (request, response, state) => {
      // Without a wish another plugin answered first, and has changed nothing of what the client sent.
      const wish = request.get(wishSlot) ?? readWish(request);
      if (state.varies) response.addHeader('Vary', 'Origin');
      const origin = state.allowedOrigin(wish.origin);
      if (origin !== undefined) setHeaders(response, state, origin, wish.requestedHeaders);
      const timing = state.timingOrigin?.(wish.origin);
      if (timing !== undefined) response.setHeader('Timing-Allow-Origin', timing);
    },
  },
});

function readWish(request: RequestView): ClientWish {
  return { origin: request.header('origin'), requestedHeaders: request.header('access-control-request-headers') };
}

function setHeaders(response: ResponseHead, state: CorsState, origin: string, requestedHeaders: string | undefined): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  for (const [name, value] of state.fixedHeaders) response.setHeader(name, value);
  const headers = state.allowHeaders ?? requestedHeaders;
  if (headers !== undefined) response.setHeader('Access-Control-Allow-Headers', headers);
}

function fixedHeaders(configuration: CorsConfiguration): CorsState['fixedHeaders'] {
  const methods = configuration.allow_methods === '**' ? ALL_METHODS : byteStringOf(configuration.allow_methods);
  const exposed = byteStringOf(configuration.expose_headers ?? '');
  return [
    ['Access-Control-Allow-Methods', methods],
    ['Access-Control-Max-Age', `${configuration.max_age}`],
    ...(exposed === '' ? [] : [['Access-Control-Expose-Headers', exposed] as const]),
    ...(configuration.allow_credential ? [['Access-Control-Allow-Credentials', 'true'] as const] : []),
  ];
}

/** Sets from the metadata come first; what is configured here follows, unless it would allow everybody. */
function allowedOrigin(configuration: CorsConfiguration, metadata: JsonObject | undefined): AnswerOrigin {
  const { allow_origins: origins, allow_origins_by_regex: regexes, allow_origins_by_metadata: names } = configuration;
  const configured = regexes === undefined ? originsOfText(origins) : originsOfRegexes(compileRegexes(regexes));
  if (names === undefined) return configured;
  const named = originsOfSets(setsOf(metadata, names));
  return (origin) => named(origin) ?? (origins === '*' ? undefined : configured(origin));
}

function setsOf(metadata: JsonObject | undefined, names: readonly string[]): readonly string[] {
  const sets = new Map(Object.entries(metadata?.allow_origins ?? {}));
  return names.map((name) => sets.get(name)).filter((set) => typeof set === 'string');
}

function timingOrigin({
  timing_allow_origins: origins,
  timing_allow_origins_by_regex: regexes,
}: CorsConfiguration): AnswerOrigin | undefined {
  if (regexes !== undefined) return originsOfRegexes(compileRegexes(regexes));
  return origins === undefined ? undefined : originsOfText(origins);
}
