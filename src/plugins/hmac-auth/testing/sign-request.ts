import { createHmac, hash } from 'node:crypto';
import type { HeaderLines } from '../../../plugin-kit/testing/index.ts';

/** 15 January 2027, 08:00:00 GMT: where `FakeClock` begins. */
export const DATE = 'Fri, 15 Jan 2027 08:00:00 GMT';

export interface SigningOptions {
  readonly method?: string;
  /** The decoded path and the query, as the gateway's variable `request_uri` has them. */
  readonly requestUri?: string;
  readonly keyId?: string;
  readonly secret?: string;
  readonly algorithm?: 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha512';
  /** What is signed, in this order. */
  readonly names?: readonly string[];
  /** The other headers of the request; `Date` is added unless there is one. */
  readonly headers?: HeaderLines;
}

/** What a client signs: each line of it ended by a line feed. Written from the reference, apart from the plugin's own code. */
function stringToSign(options: SigningOptions, headers: HeaderLines): string {
  const { method = 'GET', requestUri = '/orders', keyId = 'jack-key', names = ['date'] } = options;
  const lines = names.map((name) => {
    if (name === '@request-target') return `${method.toUpperCase()} ${requestUri}`;
    const value = headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
    return value === undefined ? undefined : `${name}: ${value}`;
  });
  return [keyId, ...lines.filter((line) => line !== undefined)].map((line) => `${line}\n`).join('');
}

/** The headers of a signed request. */
export function signedHeaders(options: SigningOptions = {}): HeaderLines {
  const { keyId = 'jack-key', secret = 'right secret', algorithm = 'hmac-sha256', names = ['date'], headers = [] } = options;
  const dated: HeaderLines = headers.some(([name]) => name.toLowerCase() === 'date') ? headers : [['Date', DATE], ...headers];
  const signature = createHmac(algorithm.slice('hmac-'.length), secret).update(stringToSign(options, dated), 'latin1').digest('base64');
  const value = `Signature keyId="${keyId}",algorithm="${algorithm}",headers="${names.join(' ')}",signature="${signature}"`;
  return [['Authorization', value], ...dated];
}

/** The header that says what a body is. */
export function digestOf(body: string | Uint8Array): readonly [string, string] {
  return ['Digest', `SHA-256=${hash('sha256', body, 'base64')}`];
}
