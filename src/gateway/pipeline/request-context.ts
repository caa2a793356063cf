import type {
  BodyFilter,
  Exchange,
  ForwardPlan,
  RequestHead,
  ResponseFilter,
  ResponseHeadEditor,
  UpstreamTarget,
} from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { LogView, PluginInstance, RequestView, VariableValue } from '../../plugin-kit/index.ts';
import type { Endpoint, HeldChain, RuntimeUpstream } from '../runtime/index.ts';
import { AnsweredRequest } from './answered-request.ts';
import { BodyVariables } from './body-variables/body-variables.ts';
import { clientFactsOf } from './client-facts.ts';
import type { ContextSurroundings } from './context-surroundings.ts';
import { appendForwardedLines, takeForwardedFor } from './forwarded-lines.ts';
import { appendIdentityLines } from './identity-lines.ts';
import { KeptHead } from './kept-head.ts';
import { NodeAttempts } from './node-attempts.ts';
import { reportingFailures } from './reporting-failures.ts';
import { REQUEST_ID_LENGTH } from './request-id.ts';
import { requestVariable } from './request-variable.ts';
import type { RouteCandidate } from './route-candidate.ts';
import { UpstreamResponseHead } from './upstream-response-head.ts';

/**
 * Everything the gateway knows of one request, from its head to its log line: the plugins' view of it and the engine's plan for
 * it in one object, so that a request costs no allocation of its own. Contexts are used again; `begin` and `end` frame one use.
 */
export class RequestContext extends AnsweredRequest implements RequestView, LogView, ForwardPlan, ResponseFilter {
  readonly #attempts: NodeAttempts;
  #forwardedFor = '';
  /** Kept where an upstream may be asked by it in its handshake. */
  #clientHost = '';
  /** The client has said which host it wants, which HTTP/1.0 leaves to it. */
  #namesHost = true;

  // For the log and for the pipeline.
  /** 32 digits, each context's own buffer. */
  readonly requestIdBytes = Buffer.allocUnsafeSlow(REQUEST_ID_LENGTH);
  clientRequestId: string | undefined;
  /** In force when the request came: what it was decided by, however long it lasts. */
  revision = 0;
  pluginsStartedAtMs = 0;
  /** A plugin's promise may still hold the context after its request: it must not serve another one. */
  reusable = true;
  /** A filter of the upstream's answer failed: what the engine answers instead passes no filters. */
  filterFailed = false;
  /** Plugins that have not come back yet; as long as there are any, the plugins' state stays. */
  #running = 0;
  #leave: (() => void) | undefined;
  #bodyUse = 0;
  #bodyVariables: BodyVariables | undefined;

  // What the engine reads.
  responseFilter: ResponseFilter | undefined;
  connectTimeoutMs = 0;
  sendTimeoutMs = 0;
  readTimeoutMs = 0;
  allowsUpgrade = false;
  isDuplex = false;

  constructor(surroundings: ContextSurroundings) {
    super(surroundings);
    this.#attempts = new NodeAttempts(surroundings.monotonicMs, surroundings.admission);
  }

  /** Takes a new exchange, with or without a head that could be read. Its id stands in `requestIdBytes` already. */
  begin(exchange: Exchange): void {
    this.current = exchange;
  }

  /** From here on the request may be looked at, without what no client may send. */
  open(exchange: Exchange, head: RequestHead): void {
    if (this.readableHead === head) return;
    const { trust } = clientFactsOf(exchange.connection, this.surroundings.trustedAddresses);
    this.readableHead = head;
    this.headers.begin(head, this.surroundings.headerRules, trust);
  }

  /** It is known which plugins the request passes. `candidate` is undefined where no route matched. */
  enter(candidate: RouteCandidate | undefined, globals: HeldChain): void {
    this.candidate = candidate;
    if (candidate === undefined) {
      this.chains.begin(globals, this.chains.own);
      return;
    }
    this.chains.begin(globals, candidate.route.chain);
    candidate.route.enter();
  }

  /** The exchange is over: forgets it. */
  end(): void {
    const { candidate } = this;
    if (this.#running === 0) {
      candidate?.route.leave();
      this.chains.end();
    } else {
      const hold = this.chains.detach();
      this.#leave = () => {
        candidate?.route.leave();
        hold();
      };
    }
    this.filterFailed = false;
    this.#bodyUse = 0;
    this.#bodyVariables = undefined;
    this.#forwardedFor = '';
    this.#attempts.end(this.current);
    this.forgetRequest();
    this.forgetEdits();
    this.forgetAnswer();
    this.clientRequestId = undefined;
    this.pluginsStartedAtMs = 0;
    this.responseFilter = undefined;
  }

  /** A plugin is at work that does not come back at once. Answered by one `pluginCameBack`, however late. */
  pluginRuns(): void {
    this.#running++;
  }

  pluginCameBack(): void {
    this.#running--;
    if (this.#running > 0) return;
    this.#leave?.();
    this.#leave = undefined;
  }

  /** The engine is about to take the head's bytes back. */
  decided(): void {
    if (this.isDecided) return;
    const head = this.readableHead;
    if (head !== undefined && this.chains.keepsHead) {
      // The request is written: what its upstream got stands among its headers again.
      this.spellConsumerOut();
      if (this.#forwardedFor !== '') this.headers.add('X-Forwarded-For', this.#forwardedFor);
      const copy = new KeptHead(head);
      this.readableHead = copy;
      this.headers.keep(copy);
    } else {
      this.readableHead = undefined;
      this.headers.end();
    }
    this.isDecided = true;
  }

  get requestId(): string {
    return this.requestIdBytes.toString('latin1');
  }

  variable(name: string): VariableValue {
    return this.ownVariable(name) ?? requestVariable(this, name);
  }

  /** Waits for the body where variables in `wanted` could tell something of it (see `BODY_USE`); undefined where none could, or it was read. */
  readBodyVariables(wanted: number): Promise<void> | undefined {
    const use = wanted & ~this.#bodyUse;
    if (use === 0) return undefined;
    this.#bodyUse |= use;
    // Whoever comes later may want more of the same body.
    return BodyVariables.of(this, this.#bodyUse).then((variables) => {
      this.#bodyVariables = variables;
    });
  }

  bodyVariable(name: string): VariableValue {
    return this.#bodyVariables?.variable(name);
  }

  /** A phase behind the decision of the plugin with this number begins. `route` where the context may serve another request by then. */
  entersPlugin(number: number, route: number = this.routeNumber): void {
    this.surroundings.enter(route, number);
  }

  /** Whether the phases of this plugin run for the request. */
  runs(instance: PluginInstance): boolean {
    const { filter } = instance;
    return filter === undefined || this.passesFilter(instance, () => filter(this));
  }

  /** What the promise of a filter gives, or a rejection when its time is over. */
  filterRuns<Result>(waiting: PromiseLike<Result>): Promise<Result> {
    // The plugin's state is in use until it has come back, even when its time is over or the client has gone before.
    this.pluginRuns();
    const cameBack = (): void => this.pluginCameBack();
    Promise.resolve(waiting).then(cameBack, cameBack);
    return this.surroundings.inTime(waiting);
  }

  onHead(head: ResponseHeadEditor): BodyFilter | undefined {
    try {
      const filter = this.surroundings.filterResponse(this, new UpstreamResponseHead(head));
      return filter && reportingFailures(filter, (error) => this.#filterFailed(error));
    } catch (error) {
      this.#filterFailed(error);
      throw error;
    }
  }

  #filterFailed(error: unknown): void {
    // What a filter gives up because its request is over is no failure.
    if (this.isOver || this.filterFailed) return;
    this.filterFailed = true;
    this.surroundings.filterFailed(this, error);
  }

  /**
   * Finishes the plan: where the request goes and for how long. Undefined when there is somewhere to send it to, or else the
   * reason why not.
   */
  plan(candidate: RouteCandidate): ErrorReason | undefined {
    const { route } = candidate;
    const upstream = this.ownUpstream?.upstream ?? route.upstream;
    const first = this.#attempts.begin(upstream, this);
    if (typeof first === 'string') return first;
    const timeouts = route.ownTimeouts ?? upstream?.settings ?? route.timeouts;
    if (first.secure !== undefined) this.#clientHost = this.host;
    this.#forwardedFor = takeForwardedFor(this.headers);
    this.requestTarget ??= this.#newTarget(candidate);
    const head = this.readableHead;
    this.#namesHost = head === undefined || head.hostEnd > head.hostStart;
    this.hostValue = this.ownHost ?? hostFor(upstream, first, this.#namesHost);
    this.isDuplex = upstream?.settings.isGrpc === true;
    this.allowsUpgrade = route.allowsUpgrade && !this.isDuplex;
    this.connectTimeoutMs = timeouts.connectTimeoutMs;
    this.sendTimeoutMs = timeouts.sendTimeoutMs;
    this.readTimeoutMs = timeouts.readTimeoutMs;
    if (this.filtersAnswers) this.responseFilter = this;
    return undefined;
  }

  appendRequestLines(writer: ByteWriter): void {
    const { current, match, headers, facts } = this;
    if (current === undefined || match === undefined || facts === undefined) return;
    if (this.consumerLinesPending && this.attached !== undefined) appendIdentityLines(writer, this.attached);
    if (headers.hasSet) headers.appendSetLines(writer);
    appendForwardedLines(writer, facts, match, headers, this.remoteAddress, this.#forwardedFor);
    this.decided();
  }

  isForbiddenTrailer(bytes: Buffer, nameStart: number, nameEnd: number): boolean {
    return this.surroundings.headerRules.forbidsTrailer(bytes, nameStart, nameEnd);
  }

  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason {
    const endpoint = this.#attempts.next(attempt, previousFailure);
    if (typeof endpoint === 'string') return endpoint;
    if (this.ownHost === undefined) {
      this.hostValue = hostFor(this.ownUpstream?.upstream ?? this.candidate?.route.upstream, endpoint, this.#namesHost);
    }
    if (endpoint.secure === undefined) return endpoint.target;
    return endpoint.secure.targetFor(this.hostValue?.toString('latin1') ?? this.#clientHost);
  }

  /** How the upstream that the request goes to, or would, is spoken to, as APISIX names it. */
  get upstreamScheme(): string {
    const settings = (this.ownUpstream?.upstream ?? this.candidate?.route.upstream)?.settings;
    return `${settings?.isGrpc === true ? 'grpc' : 'http'}${settings?.tls === undefined ? '' : 's'}`;
  }

  /** The endpoint that the last attempt went to. */
  get endpoint(): Endpoint | undefined {
    return this.#attempts.last;
  }

  /** Undefined as long as the client's bytes can go on as they are. */
  #newTarget(candidate: RouteCandidate): Buffer | undefined {
    if (candidate.newPath === undefined && !this.queryEdited) return undefined;
    const { query } = this;
    if (query === '' && candidate.newPathBytes !== undefined) return candidate.newPathBytes;
    const path = candidate.newPath ?? this.#sentPath();
    return Buffer.from(query === '' ? path : `${path}?${query}`, 'latin1');
  }

  #sentPath(): string {
    const head = this.readableHead;
    return head === undefined ? '' : head.bytes.toString('latin1', head.targetStart, head.queryStart);
  }
}

/**
 * The Host that an upstream gets; undefined for the client's own. Where the client has none it is the node's: the request goes on as HTTP/1.1,
 * and an empty Host there says that the target has no authority (RFC 9112 §3.2), which is not what the client meant.
 */
function hostFor(upstream: RuntimeUpstream | undefined, endpoint: Endpoint, namesHost: boolean): Buffer | undefined {
  switch (upstream?.settings.passHost) {
    case 'node':
      return endpoint.hostValue;
    case 'rewrite':
      return upstream.rewrittenHost;
    case 'pass':
    case undefined:
      return namesHost ? undefined : endpoint.hostValue;
  }
}
