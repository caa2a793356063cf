import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { CustomFetch } from 'openid-client';
import { Agent, buildConnector, fetch } from 'undici';
import type { DialPolicy } from '../../lib/dial-policy.ts';

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
      if (isIP(options.hostname) !== 0 && !mayDial(options.hostname, port)) callback(denied(options.hostname), null);
      else buildConnector({ timeout: TIMEOUT_MS, lookup: lookUpWithin(mayDial, port) })(options, callback);
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

function lookUpWithin(mayDial: DialPolicy, port: number): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = error === null ? addresses.filter(({ address }) => mayDial(address, port)) : [];
      const [first] = allowed;
      if (error !== null) callback(error, [], 0);
      else if (first === undefined) callback(denied(hostname), [], 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function denied(host: string): Error {
  return new Error(`the address policy forbids to connect to ${host}`);
}
