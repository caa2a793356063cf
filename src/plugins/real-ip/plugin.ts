import { networkList } from '../../lib/network-list.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import { definePlugin, type PluginLog, type RequestView } from '../../plugin-kit/index.ts';
import { parseClientAddress } from './parse-client-address.ts';
import { type RealIpConfiguration, realIpSchema } from './schema.ts';

interface RealIpState {
  readonly source: string;
  /** Undefined: everybody is believed. */
  readonly trusted: NetworkSet | undefined;
  readonly recursive: boolean;
  readonly log: PluginLog;
}

/** The one source of which not the whole value counts: each proxy has added an address to it. */
const FORWARDED_FOR = 'http_x_forwarded_for';

/** Makes what a proxy in front says the client's address, for everything that comes after. As APISIX's real-ip. */
export const realIp = definePlugin<RealIpConfiguration, RealIpState>({
  ...realIpSchema,
  readsHeadLater: false,
  create: ({ source, trusted_addresses: trusted = [], recursive }, { log }) => ({ source, trusted: networkList(trusted), recursive, log }),
  phases: {
    rewrite: (request, state) => {
      const { trusted, log, source } = state;
      if (trusted !== undefined && !contains(trusted, request.remoteAddress)) return undefined;
      const text = addressText(request, state);
      // Values stay out of the log: the variable may be any, one with a secret in it too.
      if (text === undefined) {
        log.warn('the request carries no address of its client', { source });
        return undefined;
      }
      const client = parseClientAddress(text);
      if (client === undefined) log.warn('what should be the address of the client is none', { source });
      else request.setRemoteAddress(client.address, client.port);
      return undefined;
    },
  },
});

function addressText(request: RequestView, { source, trusted, recursive }: RealIpState): string | undefined {
  if (source !== FORWARDED_FOR) {
    const value = request.variable(source);
    return typeof value === 'string' && value !== '' ? value.trim() : undefined;
  }
  const line = request.headerValues('x-forwarded-for').at(-1);
  if (line === undefined) return undefined;
  const texts = line.split(',').map((text) => text.trim());
  return recursive && trusted !== undefined ? lastUntrusted(texts, trusted) : texts.at(-1);
}

/** From the right the first that no trusted proxy has, or else the leftmost. What is no address is nobody's, and ends the search. */
function lastUntrusted(texts: readonly string[], trusted: NetworkSet): string | undefined {
  return texts.findLast((text) => !contains(trusted, parseClientAddress(text)?.address ?? '')) ?? texts[0];
}

function contains(networks: NetworkSet, address: string): boolean {
  return networks.has(address);
}
