import type { BlockList } from 'node:net';
import type { Exchange, ForwardPlan, RequestHead, UpstreamTarget } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ConsumerMatch, QueryArgument, RequestView } from '../../plugin-kit/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import { findQueryArgument, removeQueryArgument } from '../paths/index.ts';
import type { Endpoint, RuntimeRoute } from '../runtime/index.ts';
import { clientFactsOf } from './client-facts.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import { EditedHeaders } from './edited-headers.ts';
import { appendForwardedLines, takeForwardedFor } from './forwarded-lines.ts';
import { appendIdentityLines, IDENTITY_NAMES, identityFields } from './identity-lines.ts';
import { NodeAttempts } from './node-attempts.ts';
import { REQUEST_ID_LENGTH } from './request-id.ts';
import type { RouteCandidate, RouteMatch } from './route-match.ts';

/** Where plugins find consumers: the shared tables have this shape. */
export interface ConsumerDirectory {
  findByKey(plugin: string, key: string): ConsumerMatch | undefined;
  findByName(username: string): ConsumerMatch | undefined;
}

/** What all requests of a worker have in common. */
export interface ContextSurroundings {
  readonly headerRules: ClientHeaderRules;
  readonly consumers: ConsumerDirectory;
  readonly monotonicMs: () => number;
  /** Decides about requests in flight; undefined where nothing is counted. */
  readonly admission: RequestAdmission | undefined;
  /** Proxies whose word about the client is believed; undefined where nobody was named. */
  readonly trustedAddresses: BlockList | undefined;
}

const ABSENT: QueryArgument = { kind: 'absent' };

/**
 * Everything the gateway knows of one request, from its head to its log line: the plugins' view of it and the engine's plan for
 * it in one object, so that a request costs no allocation of its own. Contexts are used again; `begin` and `end` frame one use.
 */
export class RequestContext implements RequestView, ForwardPlan {
  readonly #surroundings: ContextSurroundings;
  readonly #headers = new EditedHeaders();
  readonly #attempts: NodeAttempts;
  #exchange: Exchange | undefined;
  /** Undefined until somebody asks for it. */
  #query: string | undefined;
  #queryEdited = false;
  #forwardedFor = '';
  #consumer: ConsumerMatch | undefined;
  /** The consumer's lines are still to be written; false once they stand among the headers that plugins set. */
  #consumerLinesPending = false;

  // For the log and for the pipeline.
  /** 32 digits, each context's own buffer. */
  readonly requestId = Buffer.allocUnsafeSlow(REQUEST_ID_LENGTH);
  clientRequestId: string | undefined;
  /** In force when the request came: what it was decided by, however long it lasts. */
  revision = 0;
  /** Undefined for a request that the engine refused by itself. */
  match: RouteMatch | undefined;
  candidate: RouteCandidate | undefined;
  pluginsStartedAtMs = 0;
  /** A plugin's promise may still hold the context after its request: it must not serve another one. */
  reusable = true;

  // What the engine reads.
  requestTarget: Buffer | undefined;
  hostValue: Buffer | undefined;
  connectTimeoutMs = 0;
  sendTimeoutMs = 0;
  readTimeoutMs = 0;
  allowsUpgrade = false;

  constructor(surroundings: ContextSurroundings) {
    this.#surroundings = surroundings;
    this.#attempts = new NodeAttempts(surroundings.monotonicMs, surroundings.admission);
  }

  /** Takes a new exchange, with or without a head that could be read. Its id stands in `requestId` already. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  /** The route is found: from here on plugins may look at the request, without what no client may send. */
  enterRoute(candidate: RouteCandidate, exchange: Exchange, head: RequestHead): void {
    this.candidate = candidate;
    const { trust } = clientFactsOf(exchange.connection, this.#surroundings.trustedAddresses);
    this.#headers.begin(head, this.#surroundings.headerRules, trust);
    candidate.route.enter();
  }

  /** The exchange is over: forgets it. */
  end(): void {
    this.candidate?.route.leave();
    this.#headers.end();
    this.#attempts.end();
    this.#exchange = undefined;
    this.#query = undefined;
    this.#queryEdited = false;
    this.#consumer = undefined;
    this.#consumerLinesPending = false;
    this.clientRequestId = undefined;
    this.match = undefined;
    this.candidate = undefined;
    this.pluginsStartedAtMs = 0;
    this.requestTarget = undefined;
    this.hostValue = undefined;
  }

  get method(): string {
    return this.match?.method ?? '';
  }

  get path(): string {
    return this.match?.path ?? '';
  }

  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  get consumer(): ConsumerMatch | undefined {
    return this.#consumer;
  }

  /** The engine is about to take the head's bytes back. */
  decided(): void {
    this.#headers.end();
  }

  header(lowerCaseName: string): string | undefined {
    if (IDENTITY_NAMES.has(lowerCaseName)) this.#spellConsumerOut();
    return this.#headers.first(lowerCaseName);
  }

  queryArgument(name: string): QueryArgument {
    const query = this.#readQuery();
    return query === '' ? ABSENT : findQueryArgument(query, name);
  }

  removeHeader(lowerCaseName: string): void {
    if (IDENTITY_NAMES.has(lowerCaseName)) this.#spellConsumerOut();
    this.#headers.remove(lowerCaseName);
  }

  setHeader(name: string, value: string): void {
    if (IDENTITY_NAMES.has(name.toLowerCase())) this.#spellConsumerOut();
    this.#headers.set(name, value);
  }

  removeQueryArgument(name: string): void {
    const query = this.#readQuery();
    const left = removeQueryArgument(query, name);
    if (left === query) return;
    this.#query = left;
    this.#queryEdited = true;
  }

  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined {
    return this.#surroundings.consumers.findByKey(plugin, key);
  }

  findConsumerByName(username: string): ConsumerMatch | undefined {
    return this.#surroundings.consumers.findByName(username);
  }

  attachConsumer(consumer: ConsumerMatch): void {
    // The client's copies were cut before any plugin ran; what is left could only be another plugin's.
    if (this.#headers.hasSet) for (const name of IDENTITY_NAMES) this.#headers.remove(name);
    this.#consumer = consumer;
    this.#consumerLinesPending = true;
  }

  /**
   * Finishes the plan: where the request goes and for how long. Undefined when there is somewhere to send it to, or else the
   * reason why not.
   */
  plan(candidate: RouteCandidate): ErrorReason | undefined {
    const { route } = candidate;
    const first = this.#attempts.begin(route.upstream);
    if (typeof first === 'string') return first;
    this.#forwardedFor = takeForwardedFor(this.#headers);
    this.requestTarget = this.#newTarget(candidate);
    this.hostValue = hostFor(route, first);
    this.allowsUpgrade = route.allowsUpgrade;
    this.connectTimeoutMs = route.timeouts.connectTimeoutMs;
    this.sendTimeoutMs = route.timeouts.sendTimeoutMs;
    this.readTimeoutMs = route.timeouts.readTimeoutMs;
    return undefined;
  }

  appendRequestLines(writer: ByteWriter): void {
    const exchange = this.#exchange;
    const match = this.match;
    if (exchange === undefined || match === undefined) return;
    const headers = this.#headers;
    if (this.#consumerLinesPending && this.#consumer !== undefined) appendIdentityLines(writer, this.#consumer);
    if (headers.hasSet) headers.appendSetLines(writer);
    const facts = clientFactsOf(exchange.connection, this.#surroundings.trustedAddresses);
    appendForwardedLines(writer, facts, match, headers, exchange.connection, this.#forwardedFor);
    this.decided();
  }

  isForbiddenTrailer(bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    return this.#surroundings.headerRules.forbidsTrailer(bytes, nameStart, nameEnd);
  }

  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason {
    const endpoint = this.#attempts.next(attempt, previousFailure);
    if (typeof endpoint === 'string') return endpoint;
    if (this.candidate !== undefined) this.hostValue = hostFor(this.candidate.route, endpoint);
    return endpoint.target;
  }

  /** The endpoint that the last attempt went to. */
  get endpoint(): Endpoint | undefined {
    return this.#attempts.last;
  }

  /** As sent, or as edited. */
  #readQuery(): string {
    if (this.#query === undefined) {
      const head = this.#exchange?.head;
      const present = head !== undefined && head.queryStart < head.targetEnd;
      this.#query = present ? head.bytes.toString('latin1', head.queryStart + 1, head.targetEnd) : '';
    }
    return this.#query;
  }

  /** Undefined as long as the client's bytes can go on as they are. */
  #newTarget(candidate: RouteCandidate): Buffer | undefined {
    if (candidate.newPath === undefined && !this.#queryEdited) return undefined;
    const query = this.#readQuery();
    if (query === '' && candidate.newPathBytes !== undefined) return candidate.newPathBytes;
    const path = candidate.newPath ?? this.#sentPath();
    return Buffer.from(query === '' ? path : `${path}?${query}`, 'latin1');
  }

  #sentPath(): string {
    const head = this.#exchange?.head;
    return head === undefined ? '' : head.bytes.toString('latin1', head.targetStart, head.queryStart);
  }

  /** Puts the consumer's lines among the other headers that were set, where a plugin can read, replace and remove them. */
  #spellConsumerOut(): void {
    const consumer = this.#consumer;
    if (!this.#consumerLinesPending || consumer === undefined) return;
    this.#consumerLinesPending = false;
    for (const [name, value] of identityFields(consumer)) this.#headers.add(name, value);
  }
}

/** The Host that an upstream gets; undefined for the client's own. */
function hostFor(route: RuntimeRoute, endpoint: Endpoint): Buffer | undefined {
  switch (route.upstream?.settings.passHost) {
    case 'node':
      return endpoint.hostValue;
    case 'rewrite':
      return route.upstream.rewrittenHost;
    case 'pass':
    case undefined:
      return undefined;
  }
}
