import type { PathPattern } from '../../lib/path-pattern.ts';

/** A route as the router sees it: where it listens, and what it leads to. */
export interface RoutableRoute<Value> {
  readonly id: string;
  /** Exact names, or names with a leading `*` that stands for any beginning. Empty: any host. */
  readonly hosts: readonly string[];
  /** Whole paths, joined with the service's `path_prefix`: see `parsePathPattern`. */
  readonly paths: readonly string[];
  /** Bits of `methodMask`; 0 stands for every method. */
  readonly methods: number;
  /** Higher first, among equal paths of one host. */
  readonly priority: number;
  /** Smaller first, among equal priorities; ties are broken by id. */
  readonly order: number;
  /** Whether more than host, path and method decides, so that it may pass a request on to the next candidate. */
  readonly conditional: boolean;
  readonly value: Value;
}

/** One host and one path of a route: where a request found it. */
export interface RoutePlace<Value> {
  readonly route: RoutableRoute<Value>;
  /** The host pattern in lower case; `''` for a route without hosts. */
  readonly host: string;
  readonly pattern: PathPattern;
}

/** What of a request decides the route. */
export interface RoutableRequest {
  /** Of `hostOfHeader`: lower case, without port. */
  readonly host: string;
  /** A normalised path as a byte string (one character per byte). */
  readonly path: string;
  /** Of `methodBit`; 0 for a method that routes cannot name. */
  readonly method: number;
}

/** Is given places in order of decision; true: it has seen enough. */
export type TakePlace<Value> = (place: RoutePlace<Value>) => boolean;
