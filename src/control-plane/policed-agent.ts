import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { DialPolicy } from '../lib/dial-policy.ts';
import { nodeTls } from '../lib/node-tls.ts';
import { dialDenied, policedLookup } from '../lib/policed-lookup.ts';

/**
 * How the control plane itself asks servers elsewhere: through the address policy of all outgoing connections, judged by the address that a
 * name resolved to, and with bounds on the time between two signs of life and on the size of an answer.
 */
export function policedAgent(mayDial: DialPolicy, limits: { readonly timeoutMs: number; readonly maxResponseBytes: number }): Agent {
  const { timeoutMs, maxResponseBytes } = limits;
  nodeTls();
  return new Agent({
    connect: (options, callback) => {
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
      if (isIP(options.hostname) !== 0 && !mayDial(options.hostname, port)) callback(dialDenied(options.hostname), null);
      else buildConnector({ timeout: timeoutMs, lookup: policedLookup(mayDial, port) })(options, callback);
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: maxResponseBytes,
  });
}
