import { isIP } from 'node:net';
import type { CustomFetch } from 'openid-client';
import { Agent, buildConnector, fetch } from 'undici';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { dialDenied, policedLookup } from '../../lib/policed-lookup.ts';

const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 1_048_576;

/**
 * How identity providers are asked: through the address policy of all outgoing connections, judged by the address that a name resolved
 * to, without following redirects, and with bounds on time and size.
 */
export function providerFetch(mayDial: DialPolicy): CustomFetch {
  const agent = new Agent({
    connect: (options, callback) => {
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
      if (isIP(options.hostname) !== 0 && !mayDial(options.hostname, port)) callback(dialDenied(options.hostname), null);
      else buildConnector({ timeout: TIMEOUT_MS, lookup: policedLookup(mayDial, port) })(options, callback);
    },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
    maxResponseSize: MAX_BODY_BYTES,
  });
  return async (url, options) => {
    const { body, headers, method, signal } = options;
    const init = { headers, method, redirect: 'manual', dispatcher: agent } as const;
    const sent = body === undefined || body === null ? {} : { body: body as URLSearchParams | string };
    const answer = await fetch(url, { ...init, ...sent, ...(signal === undefined ? {} : { signal }) });
    // Undici's own fetch gives the same kind of answer as Node's, which is made of it.
    return answer as unknown as Response;
  };
}
