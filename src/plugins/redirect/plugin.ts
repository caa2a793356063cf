import { compileReplacement } from '../../expression/index.ts';
import { escapeFieldValue, escapePath } from '../../lib/uri-escape.ts';
import {
  compileRegexes,
  definePlugin,
  type JsonValue,
  type PhaseResult,
  type RequestView,
  refuse,
  respond,
} from '../../plugin-kit/index.ts';
import { type RedirectConfiguration, redirectSchema } from './schema.ts';
import { compileUriTemplate } from './uri-template.ts';

/** Where a request is sent to; undefined where it is not. A byte string. */
type FindLocation = (request: RequestView) => string | undefined;

interface RedirectState {
  readonly kind: 'https' | 'location';
  readonly location: FindLocation;
  /** For a client of a trusted proxy in front. */
  readonly proxiedLocation: FindLocation;
  readonly status: number;
  readonly encodes: boolean;
  readonly appendsQuery: boolean;
}

/** Answers with another place to go to. As APISIX's redirect. */
export const redirect = definePlugin<RedirectConfiguration, RedirectState>({
  ...redirectSchema,
  readsHeadLater: false,
  create: (configuration, { metadata, httpsPort }) => ({
    kind: configuration.http_to_https === true ? 'https' : 'location',
    location: compileLocation(configuration, metadata?.https_port ?? httpsPort),
    // It did not reach the gateway's own port, and what port of the proxy takes HTTPS nobody knows.
    proxiedLocation: compileLocation(configuration, metadata?.https_port),
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
  const proxied = request.header('x-forwarded-proto');
  if ((proxied ?? request.scheme) === 'https') return undefined;
  if (request.host === '') return NO_HOST;
  const keepsMethod = request.method !== 'GET' && request.method !== 'HEAD';
  const location = proxied === undefined ? state.location(request) : state.proxiedLocation(request);
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
  return respond(status, '', [['Location', escapeTabs(escapeFieldValue(value))]]);
}

const HTTPS_PORT = 443;

/** `httpsPort`: where clients reach `https`; anything but a port is left out, and so is its own. */
function compileLocation(
  { http_to_https: toHttps, uri, regex_uri: rule, encode_uri: encodes }: RedirectConfiguration,
  httpsPort: JsonValue | undefined,
): FindLocation {
  const escapeValue = encodes ? (value: string) => value : escapeBackslashes;
  const port = typeof httpsPort === 'number' && httpsPort > 0 && httpsPort !== HTTPS_PORT ? `:${httpsPort}` : '';
  if (toHttps === true) return compileUriTemplate(`https://$host${port}$request_uri`, escapeValue);
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

/** Browsers leave them out (URL Standard, basic URL parser), so that a tab between two slashes would lead to another host. */
function escapeTabs(value: string): string {
  return value.replaceAll('\t', '%09');
}

/** Browsers take them for slashes; escaping the whole path does this as well. */
function escapeBackslashes(value: string): string {
  return value.replaceAll('\\', '%5C');
}

/** Two slashes in front lead to another host (RFC 3986 §4.2). Where they are not configured, a client has brought one of them. */
function onThisHost(location: string, configured: string): string {
  return location.startsWith('//') && !configured.startsWith('//') ? location.replace(/^\/+/, '/') : location;
}
