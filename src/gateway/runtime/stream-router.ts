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
}

/**
 * Finds the stream route of a connection (APISIX, `router/stream/ip_port.lua`): those with a matching `sni` before all others, then the first whose
 * `server_port`, `server_addr` and `remote_addr` fit, as far as it has them. Which is the first is left open by APISIX; here it is the one that says more:
 * by name, port, own address, then the smaller network of clients, then the id. A change costs what it changes.
 */
export class StreamRouter<Value> {
  readonly #places = new Map<string, Candidate<Value>>();
  /** By transport and port, or transport alone for routes of any port. */
  readonly #listeners = new Map<string, NameIndex<Value>>();

  /** Adds the route, or replaces the one with this id. */
  put(route: RoutableStreamRoute<Value>): void {
    this.remove(route.id);
    const { remoteAddress } = route.condition;
    const candidate = { ...route, remote: remoteAddress === undefined ? undefined : networkList([remoteAddress]) };
    this.#places.set(route.id, candidate);
    const key = listenerKey(route.transport, route.condition.serverPort);
    let index = this.#listeners.get(key);
    if (index === undefined) {
      index = new NameIndex();
      this.#listeners.set(key, index);
    }
    index.add(candidate);
  }

  remove(id: string): void {
    const candidate = this.#places.get(id);
    if (candidate === undefined) return;
    this.#places.delete(id);
    const key = listenerKey(candidate.transport, candidate.condition.serverPort);
    const index = this.#listeners.get(key);
    index?.remove(candidate);
    if (index?.isEmpty === true) this.#listeners.delete(key);
  }

  match(stream: RoutableStream): Value | undefined {
    const { transport, localPort, serverName } = stream;
    const ofPort = this.#listeners.get(listenerKey(transport, localPort));
    const ofAny = this.#listeners.get(listenerKey(transport, undefined));
    const found = (name: string): Candidate<Value> | undefined => ofPort?.find(name, stream) ?? ofAny?.find(name, stream);
    if (serverName === undefined) return found(ANY_NAME)?.value;
    const named = found(serverName);
    if (named !== undefined) return named.value;
    // A wildcard stands for one label or more, as in the paths of APISIX's tree of names; the longest comes first.
    if (ofPort?.hasWildcards === true || ofAny?.hasWildcards === true) {
      for (let start = 1; start < serverName.length; start++) {
        const byWildcard = found(`*${serverName.slice(start)}`);
        if (byWildcard !== undefined) return byWildcard.value;
      }
    }
    return found(ANY_NAME)?.value;
  }
}

/** No pattern of a name is empty. */
const ANY_NAME = '';

function listenerKey(transport: StreamTransport, port: number | undefined): string {
  return port === undefined ? transport : `${transport} ${port}`;
}

/** The routes of one listener, or of all, by their `sni`. */
class NameIndex<Value> {
  readonly #names = new Map<string, Candidate<Value>[]>();
  #wildcards = 0;

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  get hasWildcards(): boolean {
    return this.#wildcards > 0;
  }

  add(candidate: Candidate<Value>): void {
    const name = candidate.condition.serverName ?? ANY_NAME;
    const known = this.#names.get(name);
    if (known === undefined) {
      this.#names.set(name, [candidate]);
      if (name.startsWith('*')) this.#wildcards++;
      return;
    }
    known.splice(placeOf(candidate, known), 0, candidate);
  }

  remove(candidate: Candidate<Value>): void {
    const name = candidate.condition.serverName ?? ANY_NAME;
    const known = this.#names.get(name);
    const place = known?.indexOf(candidate) ?? -1;
    if (known === undefined || place === -1) return;
    known.splice(place, 1);
    if (known.length > 0) return;
    this.#names.delete(name);
    if (name.startsWith('*')) this.#wildcards--;
  }

  /** The first of this pattern that fits in all else. */
  find(name: string, stream: RoutableStream): Candidate<Value> | undefined {
    return this.#names.get(name)?.find((candidate) => fits(candidate, stream));
  }
}

function placeOf<Value>(candidate: Candidate<Value>, among: readonly Candidate<Value>[]): number {
  let low = 0;
  let high = among.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = among[middle];
    if (other !== undefined && compare(candidate, other) < 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function fits<Value>({ condition, remote }: Candidate<Value>, stream: RoutableStream): boolean {
  if (condition.serverAddress !== undefined && condition.serverAddress !== stream.localAddress()) return false;
  return remote === undefined || remote.has(stream.remoteAddress);
}

/** Of one name and port. */
function compare<Value>(one: Candidate<Value>, other: Candidate<Value>): number {
  const [mine, theirs] = [one.condition, other.condition];
  return (
    Number(theirs.serverAddress !== undefined) - Number(mine.serverAddress !== undefined) ||
    prefixLength(theirs.remoteAddress) - prefixLength(mine.remoteAddress) ||
    (one.id < other.id ? -1 : 1)
  );
}

/** In bits of an IPv6 address; -1 for any client. */
function prefixLength(network: string | undefined): number {
  if (network === undefined) return -1;
  const [address = '', prefix] = network.split('/');
  const bits = address.includes(':') ? 0 : 96;
  return prefix === undefined ? 128 : Number(prefix) + bits;
}
