import type { Exchange, ForwardPlan, RequestHead, UpstreamTarget } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ConsumerMatch, QueryArgument, RequestView } from '../../plugin-kit/index.ts';
import { findQueryArgument, removeQueryArgument, stripPathPrefix } from '../paths/index.ts';
import type { Endpoint, RuntimeRoute } from '../runtime/index.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import { EditedHeaders } from './edited-headers.ts';
import { forwardedLines } from './forwarded-lines.ts';
import { IDENTITY_NAMES, identityLines } from './identity-lines.ts';
import { requestIdLine } from './local-answers.ts';
import { NodeAttempts } from './node-attempts.ts';

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
}

const EMPTY = Buffer.alloc(0);

/**
 * Everything the gateway knows of one request, from its head to its log line: the plugins' view of it and the engine's plan for
 * it in one object, so that a request costs no allocation of its own. Contexts are used again; `begin` and `end` frame one use.
 */
export class RequestContext implements RequestView, ForwardPlan {
  readonly #surroundings: ContextSurroundings;
  readonly #headers = new EditedHeaders();
  readonly #attempts: NodeAttempts;
  #exchange: Exchange | undefined;
  #query = '';
  #queryEdited = false;
  #forwardPath = '';
  #pathRewritten = false;
  #consumer: ConsumerMatch | undefined;
  /** The consumer's lines are still to be written; false once they stand among the headers that plugins set. */
  #consumerLinesPending = false;

  // For the log and for the pipeline.
  requestId = '';
  clientRequestId: string | undefined;
  /** As sent, without the query. */
  rawPath = '';
  route: RuntimeRoute | undefined;
  pluginsStartedAtMs = 0;
  /** A plugin's promise may still hold the context after its request: it must not serve another one. */
  reusable = true;

  // What plugins see.
  method = '';
  path = '';

  // What the engine reads.
  requestTarget: Buffer | undefined;
  hostValue: Buffer | undefined;
  requestLines: Buffer = EMPTY;
  responseLines: Buffer = EMPTY;
  connectTimeoutMs = 0;
  sendTimeoutMs = 0;
  readTimeoutMs = 0;

  constructor(surroundings: ContextSurroundings) {
    this.#surroundings = surroundings;
    this.#attempts = new NodeAttempts(surroundings.monotonicMs);
  }

  /** Takes a new exchange, with or without a head that could be read. */
  begin(exchange: Exchange, requestId: string): void {
    this.#exchange = exchange;
    this.requestId = requestId;
    const head = exchange.head;
    if (head === undefined) return;
    this.method = methodName(head);
    this.rawPath = head.bytes.toString('latin1', head.targetStart, head.queryStart);
  }

  /** The route is found: from here on plugins may look at the request, without what no client may send. */
  enterRoute(route: RuntimeRoute, head: RequestHead, path: string, forwardPath: string, rewritten: boolean): void {
    this.route = route;
    this.path = path;
    this.#forwardPath = forwardPath;
    this.#pathRewritten = rewritten;
    this.#query = head.queryStart < head.targetEnd ? head.bytes.toString('latin1', head.queryStart + 1, head.targetEnd) : '';
    this.#headers.begin(head, this.#surroundings.headerRules);
    route.enter();
  }

  /** The exchange is over: forgets it. */
  end(): void {
    this.route?.leave();
    this.#headers.end();
    this.#attempts.end();
    this.#exchange = undefined;
    this.#query = '';
    this.#queryEdited = false;
    this.#forwardPath = '';
    this.#pathRewritten = false;
    this.#consumer = undefined;
    this.#consumerLinesPending = false;
    this.requestId = '';
    this.clientRequestId = undefined;
    this.rawPath = '';
    this.route = undefined;
    this.pluginsStartedAtMs = 0;
    this.method = '';
    this.path = '';
    this.requestTarget = undefined;
    this.hostValue = undefined;
    this.requestLines = EMPTY;
    this.responseLines = EMPTY;
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
    return this.#query === '' ? { kind: 'absent' } : findQueryArgument(this.#query, name);
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
    const left = removeQueryArgument(this.#query, name);
    if (left === this.#query) return;
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
    if (this.#headers.setLines !== '') for (const name of IDENTITY_NAMES) this.#headers.remove(name);
    this.#consumer = consumer;
    this.#consumerLinesPending = true;
  }

  /**
   * Finishes the plan: all lines and the target that the upstream will get. Undefined when there is somewhere to send it to, or
   * else the reason why not.
   */
  plan(route: RuntimeRoute): ErrorReason | undefined {
    const exchange = this.#exchange;
    const head = exchange?.head;
    if (exchange === undefined || head === undefined) return 'internal';
    const first = this.#attempts.begin(route.upstream);
    if (typeof first === 'string') return first;
    const own = this.#headers.setLines + forwardedLines(exchange.connection, head, this.#headers);
    this.requestLines = this.#consumerLinesPending ? identityLines(this.#consumer, own) : Buffer.from(own, 'latin1');
    this.responseLines = Buffer.from(requestIdLine(this.requestId), 'latin1');
    this.requestTarget = this.#newTarget(route);
    this.hostValue = hostFor(route, first);
    this.connectTimeoutMs = route.timeouts.connectTimeoutMs;
    this.sendTimeoutMs = route.timeouts.sendTimeoutMs;
    this.readTimeoutMs = route.timeouts.readTimeoutMs;
    return undefined;
  }

  isForbiddenTrailer(bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    return this.#surroundings.headerRules.forbidsTrailer(bytes, nameStart, nameEnd);
  }

  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason {
    const endpoint = this.#attempts.next(attempt, previousFailure);
    if (typeof endpoint === 'string') return endpoint;
    if (this.route !== undefined) this.hostValue = hostFor(this.route, endpoint);
    return endpoint.target;
  }

  /** Undefined as long as the client's bytes can go on as they are. */
  #newTarget(route: RuntimeRoute): Buffer | undefined {
    const path = route.strippedPrefix === '' ? this.#forwardPath : stripPathPrefix(this.#forwardPath, route.strippedPrefix);
    if (path === this.#forwardPath && !this.#pathRewritten && !this.#queryEdited) return undefined;
    return Buffer.from(this.#query === '' ? path : `${path}?${this.#query}`, 'latin1');
  }

  /** Puts the consumer's lines among the other headers that were set, where a plugin can read, replace and remove them. */
  #spellConsumerOut(): void {
    const consumer = this.#consumer;
    if (!this.#consumerLinesPending || consumer === undefined) return;
    this.#consumerLinesPending = false;
    this.#headers.addLines(identityLines(consumer, '').toString('latin1'));
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

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const;

/** The method's name, without a new string for the usual ones. */
function methodName(head: RequestHead): string {
  const length = head.methodEnd - head.methodStart;
  for (const method of METHODS) {
    if (method.length === length && sameBytes(method, head)) return method;
  }
  return head.bytes.toString('latin1', head.methodStart, head.methodEnd);
}

function sameBytes(method: string, head: RequestHead): boolean {
  for (let index = 0; index < method.length; index++) {
    if (head.bytes[head.methodStart + index] !== method.charCodeAt(index)) return false;
  }
  return true;
}
