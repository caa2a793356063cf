import type { JsonValue } from '../../../lib/json.ts';
import { shownPath } from '../build-document.ts';
import type { DescribedRoute } from '../operation-description.ts';

/** The request of an example: the path with its parameters, and the query with those that have an example. */
function exampleTarget(route: DescribedRoute): string {
  const { path, description } = route;
  const filled = path.replaceAll(/:([a-z_]+)/g, (_whole, name: string) => encodeURIComponent(description.path?.[name]?.example ?? name));
  const query = (description.query ?? []).flatMap(({ name, example }) => (example === undefined ? [] : [[name, example]]));
  return query.length === 0 ? filled : `${filled}?${new URLSearchParams(query)}`;
}

/**
 * A command for a shell that sends the example. `$ADMIN` is where the Admin API is, `$API_KEY` a token; no text of the example is read by the
 * shell as anything but itself.
 */
export function curlCommand(route: DescribedRoute, body: JsonValue | undefined): string {
  const words = [
    `curl -k "$ADMIN${exampleTarget(route)}"`,
    ...(route.method === 'GET' ? [] : [`-X ${route.method}`]),
    ...(route.permission === 'public' ? [] : ['-H "X-API-KEY: $API_KEY"']),
    ...(body === undefined ? [] : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`]),
  ];
  return words.join(' \\\n  ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What a search finds an operation by, in lower case. */
export function searchText(route: DescribedRoute): string {
  const { id, tag, summary, description = '' } = route.description;
  return [route.method, shownPath(route), id, tag, summary, description, route.permission].join(' ').toLowerCase();
}
