import type { RequestView } from '../../plugin-kit/index.ts';

/** Stands for the method, the path and the query in a list of signed headers. */
const REQUEST_TARGET = '@request-target';

/**
 * What a client has signed, as a byte string: lines that each end with a line feed, first the id of the key, then one for each name.
 * `@request-target` is the method and the variable `request_uri` (the decoded, normalised path and the query as sent); a header is
 * `name: value` with the name as the client listed it, and one that the request does not have adds no line. (APISIX, hmac-auth)
 */
export function signingString(request: RequestView, keyId: string, names: readonly string[]): string {
  let text = `${keyId}\n`;
  for (const name of names) {
    if (name === REQUEST_TARGET) text += `${request.method} ${requestUri(request)}\n`;
    else {
      const value = request.header(name.toLowerCase());
      if (value !== undefined) text += `${name}: ${value}\n`;
    }
  }
  return text;
}

function requestUri(request: RequestView): string {
  const value = request.variable('request_uri');
  return typeof value === 'string' && value !== '' ? value : '/';
}
