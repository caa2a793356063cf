import { type EffectiveChecks, readHealthChecks } from './effective-checks.ts';
import { parseNodeHost } from './host-name.ts';
import { timerMs } from './timer-ms.ts';
import type { UpstreamDocument } from './upstream.ts';
import { readUpstreamTls, type UpstreamTlsSettings } from './upstream-tls.ts';

/** One address or name of an upstream, without IPv6 brackets. */
export interface UpstreamNode {
  readonly host: string;
  readonly port: number;
  /** 0: never chosen while another node is there. */
  readonly weight: number;
  /** Nodes of a higher priority are used as long as one of them is up. */
  readonly priority: number;
}

/** Time-outs of one hop, in milliseconds, small enough for the machine's timers. */
export interface HopTimeouts {
  readonly connectTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly readTimeoutMs: number;
}

/** By what consistent hashing tells requests apart. */
export interface HashRule {
  readonly on: 'vars' | 'header' | 'cookie' | 'consumer' | 'vars_combinations';
  /** A variable without `$`, a header's or a cookie's name, or a text with variables; empty with `consumer`. */
  readonly key: string;
}

/** How a node is chosen (`type`, with `hash_on` and `key`). */
export type Balancing = { readonly kind: 'roundrobin' | 'least_conn' | 'ewma' } | { readonly kind: 'chash'; readonly hash: HashRule };

/** A service whose nodes are found, not configured. */
export interface ServiceDiscovery {
  readonly type: string;
  readonly serviceName: string;
}

/** An upstream with every default in place. */
export interface EffectiveUpstream extends HopTimeouts {
  /** As it was written; undefined for the scheme that is the service's own. */
  readonly scheme: string | undefined;
  /** Empty where they are discovered. */
  readonly nodes: readonly UpstreamNode[];
  /** Where nodes are found; undefined: they are those of `nodes`. */
  readonly discovery: ServiceDiscovery | undefined;
  readonly balancing: Balancing;
  /** Undefined: it is spoken to in clear. */
  readonly tls: UpstreamTlsSettings | undefined;
  /** It is spoken to in HTTP/2, and requests and answers may go on beside each other. */
  readonly isGrpc: boolean;
  /** Undefined: nobody looks after the nodes' health. */
  readonly checks: EffectiveChecks | undefined;
  /** Host that the upstream sees: the client's, the node's, or `upstreamHost`. */
  readonly passHost: 'pass' | 'node' | 'rewrite';
  readonly upstreamHost: string | undefined;
  /** Further attempts after the first; undefined: one for each other node. */
  readonly retries: number | undefined;
  /** No attempt starts later than this after the first; 0: no such limit. */
  readonly retryTimeoutMs: number;
  readonly keepalivePoolSize: number;
  readonly keepaliveIdleTimeoutMs: number;
  /** Requests that one connection serves. */
  readonly keepaliveRequests: number;
}

const DEFAULT_TIMEOUT_SECONDS = 60;

/**
 * Idle connections that a worker keeps for one node where the upstream does not say. APISIX keeps 320; with more clients than that at
 * once every second request would make a connection, and all upstreams together have a budget anyway.
 */
const OPEN_POOL_SIZE = 2048;

/** Reads an upstream that its schema has accepted. */
export function readUpstream(upstream: UpstreamDocument): EffectiveUpstream {
  return {
    scheme: upstream.scheme,
    nodes: (upstream.nodes ?? []).map((node) => ({
      host: parseNodeHost(node.host) ?? node.host,
      port: node.port,
      weight: node.weight,
      priority: node.priority ?? 0,
    })),
    discovery: readDiscovery(upstream),
    balancing: readBalancing(upstream),
    tls: readUpstreamTls(upstream),
    isGrpc: upstream.scheme === 'grpc' || upstream.scheme === 'grpcs',
    checks: upstream.checks?.active === undefined ? undefined : readHealthChecks(upstream.checks),
    passHost: upstream.pass_host ?? 'pass',
    upstreamHost: upstream.upstream_host,
    ...readTimeouts(upstream.timeout ?? {}),
    retries: upstream.retries,
    retryTimeoutMs: timerMs(upstream.retry_timeout ?? 0),
    keepalivePoolSize: upstream.keepalive_pool?.size ?? OPEN_POOL_SIZE,
    keepaliveIdleTimeoutMs: timerMs(upstream.keepalive_pool?.idle_timeout ?? DEFAULT_TIMEOUT_SECONDS),
    keepaliveRequests: upstream.keepalive_pool?.requests ?? 1000,
  };
}

/** Reads a `timeout` object (seconds); what it leaves out is 60 s. */
export function readTimeouts(timeout: { readonly connect?: number; readonly send?: number; readonly read?: number }): HopTimeouts {
  return {
    connectTimeoutMs: timerMs(timeout.connect ?? DEFAULT_TIMEOUT_SECONDS),
    sendTimeoutMs: timerMs(timeout.send ?? DEFAULT_TIMEOUT_SECONDS),
    readTimeoutMs: timerMs(timeout.read ?? DEFAULT_TIMEOUT_SECONDS),
  };
}

function readBalancing({ type = 'roundrobin', hash_on: on = 'vars', key = '' }: UpstreamDocument): Balancing {
  return type === 'chash' ? { kind: type, hash: { on, key } } : { kind: type };
}

/** Nodes that are configured win. */
function readDiscovery({ nodes, service_name: serviceName, discovery_type: type }: UpstreamDocument): ServiceDiscovery | undefined {
  return nodes !== undefined || serviceName === undefined || type === undefined ? undefined : { type, serviceName };
}
