import type { ConsumerMatch, CredentialMatch } from './consumer-match.ts';
import type { RequestSlot } from './request-slot.ts';
import type { UpstreamHandle } from './upstream-handle.ts';
import type { VariableValue } from './variable-value.ts';

/** What the query says of one name. Values are percent-decoded bytes, one character per byte (latin1). */
export type QueryArgument =
  | { readonly kind: 'absent' }
  /** The name without `=`. */
  | { readonly kind: 'flag' }
  | { readonly kind: 'single'; readonly value: string }
  | { readonly kind: 'repeated' };

/** One argument of the query, in the order in which it was sent; `value` is undefined for a name without `=`. */
export interface QueryPair {
  readonly name: string;
  readonly value: string | undefined;
}

/** The route that a request took. */
export interface MatchedRoute {
  readonly id: string;
  readonly name: string;
  readonly serviceId: string;
  readonly serviceName: string;
  /** The path pattern of the route that matched, with the service's prefix. */
  readonly pattern: string;
  /** The host pattern that matched; `''` for a route without hosts. */
  readonly hostPattern: string;
}

/**
 * A request as plugins see it. Nothing is materialised unasked: every call reads the bytes that arrived, and every edit is a
 * cut or an added block on them. Header values, query values and paths are byte strings, one character per byte.
 *
 * What edits the request may be called in the phases `rewrite`, `access` and `beforeProxy` only, and throws a TypeError later.
 */
export interface RequestView {
  /** e.g. `GET`: as the client sent it, whatever `setMethod` says. */
  readonly method: string;
  /** The normalised path, percent-decoded once, without the query. */
  readonly path: string;
  /** The target as it arrived: path and query. */
  readonly rawTarget: string;
  /** The query as sent or edited, without `?`; `''` for none. */
  readonly query: string;
  /** The Host in lower case without its port; `''` for none. */
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly minorVersion: 0 | 1;
  /** Of the client, canonical; what `setRemoteAddress` says where that was called. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The gateway's own id of this request, 32 hexadecimal digits. */
  readonly requestId: string;
  /** Wall-clock milliseconds when its head had been read. */
  readonly startedAtMs: number;
  /** Undefined where no route matched and only global rules run. */
  readonly route: MatchedRoute | undefined;
  /** Undefined until a plugin attached one. */
  readonly consumer: ConsumerMatch | undefined;

  /** The first value of a header, by its lower-case name; `''` for an empty one. Headers hidden by `Connection` are still seen here. */
  header(lowerCaseName: string): string | undefined;
  /** All values in order. */
  headerValues(lowerCaseName: string): readonly string[];
  /** Lower-case names in order, each once. */
  headerNames(): readonly string[];
  /** The first cookie of this exact name. */
  cookie(name: string): string | undefined;
  queryArgument(name: string): QueryArgument;
  /** All arguments, decoded. */
  queryPairs(): readonly QueryPair[];
  /** A variable by its name without `$` (docs/reference/expressions.md). */
  variable(name: string): VariableValue;
  /**
   * Gives a variable a value of the plugin's own, seen by expressions, templates and logs from now on. A function is called when somebody
   * asks for the value, each time, and only then: most are never asked for.
   */
  setVariable(name: string, value: VariableValue | (() => VariableValue)): void;
  /** Undefined where the request has no body; `'chunked'` where its length is not known before it is read. */
  readonly bodyLength: number | 'chunked' | undefined;

  /** Cuts every occurrence from what the upstream receives. */
  removeHeader(lowerCaseName: string): void;
  /** Replaces every occurrence of the header, in what the upstream receives. The gateway's own value wins over `Connection`. */
  setHeader(name: string, value: string): void;
  /** Adds one behind those that there are. */
  addHeader(name: string, value: string): void;
  /** Removes the argument; the query is written anew from what is left. */
  removeQueryArgument(name: string): void;
  /** Path and query that the upstream receives, as they are to stand in the request line; @throws TypeError for what cannot stand there. */
  setTarget(target: string): void;
  /** What `setTarget` said last; undefined as long as the client's own goes on. */
  readonly upstreamTarget: string | undefined;
  setMethod(method: string): void;
  /** The Host that the upstream receives, over everything the upstream's settings say. */
  setUpstreamHost(host: string): void;
  /** A further upstream of the route's service by its id, for `useUpstream`; undefined where there is none. The service's own has no handle. */
  serviceUpstream(id: string): UpstreamHandle | undefined;
  /** Sends the request to another upstream than the service's. */
  useUpstream(upstream: UpstreamHandle): void;
  /** The client's address from here on: for plugins, logs and the headers that the upstream gets. */
  setRemoteAddress(address: string, port: number | undefined): void;
  /** A body with more bytes is refused with 413 while it streams; `Infinity` for any. */
  limitBody(maxBytes: number): void;
  /** The whole body in memory, decoded; `too-large` when it has more bytes. What was read goes on to the upstream unless `setBody` replaces it. */
  readBody(maxBytes: number): Promise<Uint8Array | 'too-large'>;
  /** The first bytes of the body, `maxBytes` at most, decoded; a longer body is not waited for and goes on to the upstream as it comes. */
  readBodyStart(maxBytes: number): Promise<Uint8Array>;
  setBody(body: Uint8Array): void;
  /**
   * The plugin is about to let the request wait for so long because its configuration says so: every deadline of plugins moves by this time.
   * `end` is called when the request is over before; it may come after the wait has ended. Plugins call `waitFor`, which does all of it.
   */
  beginWait(durationMs: number, end: () => void): void;
  /** Sets a header of whatever answer the client gets, over the upstream's own; plugins' header filters come after. */
  setResponseHeader(name: string, value: string): void;
  addResponseHeader(name: string, value: string): void;

  /** What the plugin keeps for its later phases. */
  get<Value>(slot: RequestSlot<Value>): Value | undefined;
  set<Value>(slot: RequestSlot<Value>, value: Value): void;

  /** The consumer that holds this key (exact bytes) for a plugin of type `auth`. */
  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined;
  findConsumerByName(username: string): ConsumerMatch | undefined;
  /** The credential with this unique value (exact bytes) for a plugin of type `auth`, with what the plugin needs of it. */
  findCredential(plugin: string, uniqueValue: string): CredentialMatch | undefined;
  /** The salted digest of a text, base64, as `credentialData` got it on the control plane; undefined before the gateway knows its salt. */
  digest(text: string): string | undefined;
  /**
   * Makes this the request's consumer and sets or removes `X-Consumer-Username`, `X-Credential-Identifier` and
   * `X-Consumer-Custom-ID` in what the upstream receives. An exchange that lasts (WebSocket, gRPC, a long answer) ends when the credential is
   * removed or proves something else, or at `untilMs` (Unix milliseconds), when what the client has shown expires.
   */
  attachConsumer(consumer: ConsumerMatch, untilMs?: number): void;
}
