import type { ClientConnection, RequestHead } from '../../engine/index.ts';
import { FloodProofCache } from '../../lib/flood-proof-cache.ts';
import type { Random } from '../../lib/random.ts';
import { methodBitOfBytes } from '../router/index.ts';
import { matchRoute, type RouteMatch, type RouteSource } from './route-match.ts';

/** Together at most 1.6 MB a worker, of which only what is used becomes resident. */
const CACHE_SIZES = { entries: 4096, newcomers: 2048, longestKey: 256 };
const PORT_SHIFT = 10;
const ENCRYPTED_BIT = 1 << 26;

/**
 * Finds what a request leads to: in a cache by listener, host, raw path and method, or else by matching. Keeps whatever was found,
 * refusals too, until the configuration changes; conditions of routes are not part of it. Of many candidates only the first are kept, so
 * that what a match holds has a limit, too.
 */
export class RouteFinder {
  readonly #routes: RouteSource;
  readonly #cache: FloodProofCache<RouteMatch>;
  #generation = -1;

  constructor(routes: RouteSource, random: Random) {
    this.#routes = routes;
    this.#cache = new FloodProofCache({ random, ...CACHE_SIZES });
  }

  /** `nowMs` is monotonic. Makes no string for what is in the cache. */
  find(head: RequestHead, connection: ClientConnection, nowMs: number): RouteMatch {
    if (this.#routes.generation !== this.#generation) {
      this.#generation = this.#routes.generation;
      this.#cache.clear();
    }
    const { bytes, hostStart, hostEnd, targetStart, queryStart } = head;
    const method = methodBitOfBytes(bytes, head.methodStart, head.methodEnd);
    // Methods without a number are as many as clients can think of.
    if (method === 0) return matchRoute(this.#routes, head, connection);
    const tag = method | (connection.localPort << PORT_SHIFT) | (connection.encrypted ? ENCRYPTED_BIT : 0);
    const known = this.#cache.find(tag, bytes, hostStart, hostEnd, targetStart, queryStart, nowMs);
    if (known !== undefined) return known;
    const match = matchRoute(this.#routes, head, connection);
    this.#cache.put(tag, bytes, hostStart, hostEnd, targetStart, queryStart, match);
    return match;
  }
}
