import type { CustomFetch } from 'openid-client';
import { fetch } from 'undici';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import { policedAgent } from '../policed-agent.ts';

const TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 1_048_576;

/**
 * How identity providers are asked: through the address policy of all outgoing connections, judged by the address that a name resolved
 * to, without following redirects, and with bounds on time and size.
 */
export function providerFetch(mayDial: DialPolicy): CustomFetch {
  const agent = policedAgent(mayDial, { timeoutMs: TIMEOUT_MS, maxResponseBytes: MAX_BODY_BYTES });
  return async (url, options) => {
    const { body, headers, method, signal } = options;
    const init = { headers, method, redirect: 'manual', dispatcher: agent } as const;
    const sent = body === undefined || body === null ? {} : { body: body as URLSearchParams | string };
    const answer = await fetch(url, { ...init, ...sent, ...(signal === undefined ? {} : { signal }) });
    // Undici's own fetch gives the same kind of answer as Node's, which is made of it.
    return answer as unknown as Response;
  };
}
