import { networkList } from '../../lib/network-list.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import type { StreamRoute, StreamTransport } from '../../schema/index.ts';

/** What of a connection decides which route it takes. Addresses are canonical. */
export interface RoutableStream {
  readonly transport: StreamTransport;
  readonly localPort: number;
  /** Undefined where the system does not tell. */
  readonly localAddress: () => string | undefined;
  readonly remoteAddress: string;
  /** The host that the client asked for by TLS, lower case. */
  readonly serverName: string | undefined;
}

/** What of a route decides which connections take it. */
export type StreamCondition = Pick<StreamRoute, 'serverAddress' | 'serverPort' | 'remoteAddress' | 'serverName'>;

/** A route as the router holds it. */
export interface RoutableStreamRoute<Value> {
  readonly id: string;
  readonly transport: StreamTransport;
  readonly condition: StreamCondition;
  readonly value: Value;
}

interface Candidate<Value> extends RoutableStreamRoute<Value> {
  readonly remote: NetworkSet | undefined;
  /** What behind `*.` the name must end with, its dot included; undefined for a whole name or none. */
  readonly suffix: string | undefined;
}

/**
 * Finds the stream route of a connection (APISIX, `router/stream/ip_port.lua`): those with a matching `sni` before all others, then the first whose
 * `server_port`, `server_addr` and `remote_addr` fit, as far as it has them. Which is the first is left open by APISIX; here it is the one that says more:
 * by name, port, own address, then the smaller network of clients, then the id. Immutable.
 */
export class StreamRouter<Value> {
  readonly #candidates: readonly Candidate<Value>[];
  /** Those that a listener's connections can take: there are few listeners, whatever the number of routes. */
  readonly #ofListener = new Map<string, readonly Candidate<Value>[]>();

  constructor(routes: Iterable<RoutableStreamRoute<Value>>) {
    this.#candidates = [...routes].map(toCandidate).sort(compare);
  }

  match(stream: RoutableStream): Value | undefined {
    return this.#listenerCandidates(stream.transport, stream.localPort).find((candidate) => fits(candidate, stream))?.value;
  }

  #listenerCandidates(transport: StreamTransport, port: number): readonly Candidate<Value>[] {
    const key = `${transport} ${port}`;
    let candidates = this.#ofListener.get(key);
    if (candidates === undefined) {
      candidates = this.#candidates.filter(
        (each) => each.transport === transport && (each.condition.serverPort === undefined || each.condition.serverPort === port),
      );
      this.#ofListener.set(key, candidates);
    }
    return candidates;
  }
}

function toCandidate<Value>(route: RoutableStreamRoute<Value>): Candidate<Value> {
  const { remoteAddress, serverName } = route.condition;
  const suffix = serverName?.startsWith('*') === true ? serverName.slice(1) : undefined;
  return { ...route, remote: remoteAddress === undefined ? undefined : networkList([remoteAddress]), suffix };
}

function fits<Value>({ condition, remote, suffix }: Candidate<Value>, stream: RoutableStream): boolean {
  if (condition.serverName !== undefined && !fitsName(condition.serverName, suffix, stream.serverName)) return false;
  if (condition.serverAddress !== undefined && condition.serverAddress !== stream.localAddress()) return false;
  return remote === undefined || remote.has(stream.remoteAddress);
}

/** A wildcard stands for one label or more, as in the paths of APISIX's tree of names. */
function fitsName(wanted: string, suffix: string | undefined, name: string | undefined): boolean {
  if (name === undefined) return false;
  return suffix === undefined ? name === wanted : name.length > suffix.length && name.endsWith(suffix);
}

function compare<Value>(one: Candidate<Value>, other: Candidate<Value>): number {
  const [mine, theirs] = [one.condition, other.condition];
  return (
    nameRank(theirs.serverName) - nameRank(mine.serverName) ||
    Number(theirs.serverPort !== undefined) - Number(mine.serverPort !== undefined) ||
    Number(theirs.serverAddress !== undefined) - Number(mine.serverAddress !== undefined) ||
    prefixLength(theirs.remoteAddress) - prefixLength(mine.remoteAddress) ||
    (one.id < other.id ? -1 : 1)
  );
}

const WHOLE_NAME = 1000;

/** A whole name before any wildcard, a longer wildcard before a shorter. */
function nameRank(name: string | undefined): number {
  if (name === undefined) return 0;
  return name.startsWith('*') ? name.length : WHOLE_NAME;
}

/** In bits of an IPv6 address; -1 for any client. */
function prefixLength(network: string | undefined): number {
  if (network === undefined) return -1;
  const [address = '', prefix] = network.split('/');
  const bits = address.includes(':') ? 0 : 96;
  return prefix === undefined ? 128 : Number(prefix) + bits;
}
