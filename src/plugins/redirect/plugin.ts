import { compileReplacement } from '../../expression/index.ts';
import { escapeFieldValue, escapePath } from '../../lib/uri-escape.ts';
import { compileRegexes, definePlugin, type PhaseResult, type RequestView, refuse, respond } from '../../plugin-kit/index.ts';
import { type RedirectConfiguration, redirectSchema } from './schema.ts';
import { compileUriTemplate } from './uri-template.ts';

/** Where a request is sent to; undefined where it is not. A byte string. */
type FindLocation = (request: RequestView) => string | undefined;

interface RedirectState {
  readonly kind: 'https' | 'location';
  readonly location: FindLocation;
  readonly status: number;
  readonly encodes: boolean;
  readonly appendsQuery: boolean;
}

/** Answers with another place to go to. As APISIX's redirect. */
export const redirect = definePlugin<RedirectConfiguration, RedirectState>({
  ...redirectSchema,
  readsHeadLater: false,
  create: (configuration) => ({
    kind: configuration.http_to_https === true ? 'https' : 'location',
    location: compileLocation(configuration),
    status: configuration.ret_code,
    encodes: configuration.encode_uri,
    appendsQuery: configuration.append_query_string,
  }),
  phases: {
    rewrite: (request, state) => {
      switch (state.kind) {
        case 'https':
          return toHttps(request, state);
        case 'location':
          return toLocation(request, state);
      }
    },
  },
});

const NO_HOST = refuse('bad_host', { style: 'gateway' });

/** What a trusted proxy in front says of the client's connection counts; what others say was cut before. */
function toHttps(request: RequestView, state: RedirectState): PhaseResult {
  const scheme = request.header('x-forwarded-proto') ?? request.scheme;
  if (scheme === 'https') return undefined;
  if (request.host === '') return NO_HOST;
  const keepsMethod = request.method !== 'GET' && request.method !== 'HEAD';
  const location = state.location(request);
  return location === undefined ? undefined : answer(keepsMethod ? 308 : 301, location, request, state);
}

function toLocation(request: RequestView, state: RedirectState): PhaseResult {
  const location = state.location(request);
  return location === undefined ? undefined : answer(state.status, location, request, state);
}

function answer(status: number, location: string, request: RequestView, { encodes, appendsQuery }: RedirectState): PhaseResult {
  const queryStart = location.indexOf('?');
  const path = queryStart === -1 ? location : location.slice(0, queryStart);
  const query = queryStart === -1 ? '' : location.slice(queryStart);
  const added = appendsQuery && request.query !== '' ? `${query === '' ? '?' : '&'}${request.query}` : '';
  const value = `${encodes ? escapePath(path) : path}${query}${added}`;
  return respond(status, '', [['Location', escapeFieldValue(value)]]);
}

function compileLocation({ http_to_https: toHttps, uri, regex_uri: rule, encode_uri: encodes }: RedirectConfiguration): FindLocation {
  const escapeValue = encodes ? (value: string) => value : escapeBackslashes;
  if (toHttps === true) return compileUriTemplate('https://$host$request_uri', escapeValue);
  if (uri !== undefined) {
    const template = compileUriTemplate(uri, escapeValue);
    return (request) => onThisHost(template(request), uri);
  }
  if (rule === undefined) return () => undefined;
  const [regex] = compileRegexes([rule[0]]);
  const replacement = compileReplacement(rule[1]);
  return ({ path }) => {
    if (regex?.test(path) !== true) return undefined;
    return onThisHost(escapeValue(regex.replace(path, replacement, 'once')), rule[1]);
  };
}

/** Browsers take them for slashes; escaping the whole path does this as well. */
function escapeBackslashes(value: string): string {
  return value.replaceAll('\\', '%5C');
}

/** Two slashes in front lead to another host (RFC 3986 §4.2). Where they are not configured, a client has brought one of them. */
function onThisHost(location: string, configured: string): string {
  return location.startsWith('//') && !configured.startsWith('//') ? location.replace(/^\/+/, '/') : location;
}
