import type { JsonObject } from '../../lib/json.ts';
import type { CheckedUpstream } from './checked-upstream.ts';

/** What one node of one upstream is taken for. */
export interface NodeState {
  readonly upstream: string;
  readonly address: string;
  readonly port: number;
  readonly isUp: boolean;
}

/**
 * What upstreams are taken for, as APISIX's control API says it at `/v1/healthcheck`: an entry for each that is looked after, with its nodes.
 * `name` is the path of the upstream in the Admin API.
 */
export function healthView(upstreams: Iterable<CheckedUpstream>): JsonObject[] {
  return Array.from(upstreams, (upstream) => ({
    name: upstreamPath(upstream),
    type: upstream.checks.active.kind,
    nodes: Array.from(upstream.nodes.values(), ({ address, port, hostName, health }) => ({
      ip: address,
      port,
      hostname: hostName,
      status: health.state,
      counter: { ...health.counters },
    })),
  }));
}

/**
 * Whether requests go to each node, under the name of its upstream, as APISIX's metric `apisix_upstream_status` tells it. Those that are down
 * come first: there may be more nodes than a metric may have series.
 */
export function nodeStates(upstreams: Iterable<CheckedUpstream>): readonly NodeState[] {
  const down: NodeState[] = [];
  const up: NodeState[] = [];
  for (const upstream of upstreams) {
    const name = upstreamPath(upstream);
    for (const { address, port, health } of upstream.nodes.values())
      (health.isDown ? down : up).push({ upstream: name, address, port, isUp: !health.isDown });
  }
  return [...down, ...up];
}

function upstreamPath({ serviceId, upstreamId }: CheckedUpstream): string {
  const service = `/apisix/services/${serviceId}`;
  return upstreamId === undefined ? service : `${service}/upstreams/${upstreamId}`;
}
