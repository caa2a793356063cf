import { ownBytes } from '../../lib/own-bytes.ts';
import { matchPathPattern } from '../../lib/path-pattern.ts';
import type { MatchedRoute } from '../../plugin-kit/index.ts';
import { readsAlikeStripped, stripPathPrefix } from '../paths/index.ts';
import type { RoutePlace } from '../router/index.ts';
import type { RuntimeRoute } from '../runtime/index.ts';
import { logField } from './log-field.ts';

/** A request's path as routes are matched by it, and what of it goes on; byte strings. */
export interface PathReading {
  readonly path: string;
  readonly forwardPath: string;
  /** The upstream must not get the client's bytes. */
  readonly isRewritten: boolean;
}

interface ForwardedPath {
  readonly text: string | undefined;
  readonly bytes: Buffer | undefined;
}

const UNCHANGED: ForwardedPath = { text: undefined, bytes: undefined };

/**
 * A route that a request may take, with what depends on route and path only. Worked out when it is asked for, because caches hold many
 * that are only ever tried.
 */
export class RouteCandidate {
  readonly route: RuntimeRoute;
  readonly #place: RoutePlace<RuntimeRoute>;
  readonly #reading: PathReading;
  #forwarded: ForwardedPath | undefined;
  #parameters: ReadonlyMap<string, string> | undefined;

  constructor(place: RoutePlace<RuntimeRoute>, reading: PathReading) {
    this.route = place.route.value;
    this.#place = place;
    this.#reading = reading;
  }

  /** The path that the upstream gets, a byte string; undefined for the client's own bytes. */
  get newPath(): string | undefined {
    return this.#forwardedPath().text;
  }

  get newPathBytes(): Buffer | undefined {
    return this.#forwardedPath().bytes;
  }

  /** The values of the path's parameters by name; byte strings, decoded. */
  get parameters(): ReadonlyMap<string, string> {
    this.#parameters ??= matchPathPattern(this.#place.pattern, this.#reading.path) ?? new Map();
    return this.#parameters;
  }

  /** As plugins see the route. */
  get matched(): MatchedRoute {
    return matchedRoute(this.#place);
  }

  /** `,"route":…,"service":…` for the access log. */
  get logText(): Buffer {
    return routeLogText(this.route);
  }

  /**
   * Whether both are the same route with the same segments for its parameters, and lead the upstream to the same path: what decides may not
   * depend on how `%2F` is read.
   */
  isSameWay(other: RouteCandidate): boolean {
    if (this.route !== other.route) return false;
    for (const segment of this.#place.pattern.segments) {
      if (segment.kind === 'parameter' && this.parameters.get(segment.name) !== other.parameters.get(segment.name)) return false;
    }
    const { strippedPrefix } = this.route;
    return strippedPrefix === '' || readsAlikeStripped(this.#reading.forwardPath, strippedPrefix);
  }

  #forwardedPath(): ForwardedPath {
    this.#forwarded ??= forwardedPath(this.route.strippedPrefix, this.#reading);
    return this.#forwarded;
  }
}

function forwardedPath(strippedPrefix: string, { forwardPath, isRewritten }: PathReading): ForwardedPath {
  const path = strippedPrefix === '' ? forwardPath : stripPathPrefix(forwardPath, strippedPrefix);
  return path === forwardPath && !isRewritten ? UNCHANGED : { text: path, bytes: ownBytes(path) };
}

/** Made once for each place: a cache of paths would hold it thousands of times. */
const matchedRoutes = new WeakMap<RoutePlace<RuntimeRoute>, MatchedRoute>();

function matchedRoute(place: RoutePlace<RuntimeRoute>): MatchedRoute {
  let matched = matchedRoutes.get(place);
  if (matched === undefined) {
    const { id, name, serviceId, serviceName } = place.route.value;
    matched = { id, name, serviceId, serviceName, pattern: place.pattern.text, hostPattern: place.host };
    matchedRoutes.set(place, matched);
  }
  return matched;
}

/** Made once for each route. */
const routeLogTexts = new WeakMap<RuntimeRoute, Buffer>();

function routeLogText(route: RuntimeRoute): Buffer {
  let text = routeLogTexts.get(route);
  if (text === undefined) {
    text = ownBytes(logField('route', route.id) + logField('service', route.serviceId));
    routeLogTexts.set(route, text);
  }
  return text;
}
