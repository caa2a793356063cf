import type { JsonObject, JsonValue } from '../lib/json.ts';
import { type DemoRequest, headerOf } from './demo-request.ts';
import { groupValues } from './grouped-values.ts';
import { readForm, textOrDataUrl } from './read-form.ts';

/** Headers that proxies add. httpbin leaves them out of what it shows, unless the query has `show_env`. */
const PROXY_HEADERS: ReadonlySet<string> = new Set([
  ...['via', 'connect-time', 'total-route-time', 'x-varnish', 'x-request-start', 'x-request-id', 'x-real-ip'],
  ...['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-forwarded-protocol', 'x-forwarded-ssl'],
  ...['x-heroku-dynos-in-use', 'x-heroku-queue-depth', 'x-heroku-queue-wait-time'],
]);

/** Deeper JSON is not shown as such: indenting it would take the square of its depth. */
const MAX_JSON_DEPTH = 64;

/** `args`, `headers`, `origin` and `url` of a request, as httpbin tells them. */
export function describeHead(request: DemoRequest): JsonObject {
  return { args: argumentsOf(request), headers: describeHeaders(request), origin: originOf(request), url: urlOf(request) };
}

/** The head, and `data`, `files`, `form` and `json` of the body. */
export async function describeWhole(request: DemoRequest): Promise<JsonObject> {
  const content = await readForm(headerOf(request, 'content-type'), request.body);
  const data = content === undefined ? textOrDataUrl(request.body, '') : '';
  return { ...describeHead(request), data, files: content?.files ?? {}, form: content?.form ?? {}, json: parseJson(data) };
}

/** Header names in the spelling that WSGI programs see (`apikey` → `Apikey`), sorted; several values of one name joined by a comma. */
export function describeHeaders(request: DemoRequest): JsonObject {
  const showAll = new URLSearchParams(request.query).has('show_env');
  const byName = new Map<string, string>();
  for (const [name, value] of request.headers) {
    if (!showAll && PROXY_HEADERS.has(name.toLowerCase())) continue;
    const shown = capitalise(name);
    const earlier = byName.get(shown);
    byName.set(shown, earlier === undefined ? value : `${earlier},${value}`);
  }
  return groupValues(byName);
}

function argumentsOf(request: DemoRequest): JsonObject {
  return groupValues(new URLSearchParams(request.query));
}

function originOf(request: DemoRequest): string {
  return headerOf(request, 'x-forwarded-for') ?? request.remoteAddress;
}

function urlOf(request: DemoRequest): string {
  const scheme = headerOf(request, 'x-forwarded-proto') ?? headerOf(request, 'x-forwarded-protocol') ?? schemeBySsl(request);
  const query = request.query === '' ? '' : `?${request.query}`;
  return `${scheme}://${headerOf(request, 'host') ?? request.localAuthority}${request.path}${query}`;
}

function schemeBySsl(request: DemoRequest): string {
  return headerOf(request, 'x-forwarded-ssl') === 'on' ? 'https' : 'http';
}

function capitalise(name: string): string {
  return name.toLowerCase().replace(/[a-z]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1));
}

function parseJson(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return isShallow(value, MAX_JSON_DEPTH) ? value : null;
  } catch {
    return null;
  }
}

function isShallow(value: JsonValue, depthLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depthLeft > 0 && Object.values(value).every((part: JsonValue) => isShallow(part, depthLeft - 1));
}
