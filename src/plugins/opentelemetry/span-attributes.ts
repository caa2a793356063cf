import { type LogView, textOfByteString, type VariableValue } from '../../plugin-kit/index.ts';
import type { Attribute } from './encode-spans.ts';

/** What is added to the attributes that every span has. */
export interface AdditionalAttributes {
  /** Names of variables. */
  readonly variables: readonly string[];
  /** Names of request headers; a trailing `*` stands for any ending. */
  readonly headers: readonly string[];
}

/** The attributes of a finished request (APISIX, opentelemetry), the old names of OpenTelemetry's conventions beside the new ones. */
export function spanAttributes(request: LogView, additional: AdditionalAttributes): readonly Attribute[] {
  const { method, scheme, route } = request;
  const userAgent = request.header('user-agent');
  return [
    ...text('net.host.name', request.host === '' ? undefined : request.host),
    ...text('http.method', method),
    ...text('http.scheme', scheme),
    ...text('http.target', textOfVariable(request.variable('request_uri'))),
    ...text('http.user_agent', userAgent),
    ...text('http.request.method', method),
    ...text('url.scheme', scheme),
    ...text('url.path', request.path),
    ...text('user_agent.original', userAgent),
    ...(route === undefined
      ? []
      : [
          ...configured('apisix.route_id', route.id),
          ...configured('apisix.route_name', route.name),
          ...configured('http.route', route.pattern),
          ...configured('apisix.service_id', route.serviceId),
          ...configured('apisix.service_name', route.serviceName),
        ]),
    ...configured('apisix.response_source', request.responseSource),
    { kind: 'count', key: 'http.status_code', value: request.status },
    { kind: 'count', key: 'http.response.status_code', value: request.status },
    ...additional.variables.flatMap((name) => text(name, textOfVariable(request.variable(name)))),
    ...additional.headers.flatMap((name) => headerAttributes(request, name)),
  ];
}

function headerAttributes(request: LogView, name: string): readonly Attribute[] {
  // A star alone is the name of a header that nobody sends, as in APISIX.
  if (!name.endsWith('*') || name.length < 2) return headerAttribute(request, name.toLowerCase(), name);
  const prefix = name.slice(0, -1).toLowerCase();
  return request
    .headerNames()
    .filter((each) => each.startsWith(prefix))
    .flatMap((each) => headerAttribute(request, each, each));
}

function headerAttribute(request: LogView, lowerCaseName: string, key: string): readonly Attribute[] {
  const values = request.headerValues(lowerCaseName);
  return values.length === 0 ? [] : text(key, values.join(', '));
}

function textOfVariable(value: VariableValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : value.join(', ');
}

/** Nothing where there is no value. */
function text(key: string, value: string | undefined): readonly Attribute[] {
  return value === undefined ? [] : [{ kind: 'plain', key, value: textOfByteString(value) }];
}

/** A text that never was a byte string. */
function configured(key: string, value: string): readonly Attribute[] {
  return [{ kind: 'plain', key, value }];
}
