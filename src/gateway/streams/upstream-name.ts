import type { EffectiveUpstream } from '../../schema/index.ts';
import type { Endpoint } from '../runtime/index.ts';

/**
 * By which name a node of a stream is asked for over TLS, and must certify itself: with `pass_host: pass` the one that the client asked the
 * gateway for (APISIX), or the node's own where the client named none; with `node` the node's own; with `rewrite` that of `upstream_host`.
 */
export function upstreamName(
  { passHost, upstreamHost }: Pick<EffectiveUpstream, 'passHost' | 'upstreamHost'>,
  clientServerName: string | undefined,
  { hostValue }: Pick<Endpoint, 'hostValue'>,
): string {
  const wanted = passHost === 'pass' ? clientServerName : passHost === 'rewrite' ? upstreamHost : undefined;
  return wanted ?? hostValue.toString('latin1');
}
