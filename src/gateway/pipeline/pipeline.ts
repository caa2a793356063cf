import type { Exchange, ExchangeHandler, LocalAnswer, RequestHead } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { NetworkSet } from '../../lib/network-set.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { ConsumerMatch, CounterSeries } from '../../plugin-kit/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import type { RuntimeRoute } from '../runtime/index.ts';
import { clientRefusal } from '../tls/index.ts';
import { appendAccessLine } from './access-line.ts';
import { clientFactsOf } from './client-facts.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import type { ConsumerDirectory } from './context-surroundings.ts';
import { type FailedStep, failureFields } from './failure-fields.ts';
import { FilterFailure, filterEngineAnswer, filterHead, filterLocalAnswer } from './filter-answer.ts';
import { inTime, PLUGIN_DEADLINE_MS } from './in-time.ts';
import { errorAnswer, REQUEST_ID_HEADER, SERVER_OPTIONS } from './local-answers.ts';
import { localAnswerOf } from './plugin-answer.ts';
import { RequestContext } from './request-context.ts';
import { RequestIds } from './request-id.ts';
import type { RouteCandidate } from './route-candidate.ts';
import { RouteFinder } from './route-finder.ts';
import { asksOfServer, type RouteSource } from './route-match.ts';
import { runLogs } from './run-logs.ts';
import { type PluginOutcome, runPlugins } from './run-plugins.ts';
import { selectRoute } from './select-route.ts';

/** What a pipeline is made from. */
export interface PipelineOptions {
  /** The routes in force. */
  readonly routes: RouteSource;
  readonly consumers: ConsumerDirectory;
  /** Exchanges under way go on when their credential is revoked or expires. */
  readonly keepsRevoked?: boolean | undefined;
  /** By which credentials expire; the clock unless said. */
  readonly expiryClock?: Pick<Clock, 'nowMs'> | undefined;
  readonly headerRules: ClientHeaderRules;
  /** Proxies whose word about the client is believed; undefined where nobody was named. */
  readonly trustedAddresses: NetworkSet | undefined;
  /** A plugin that has not decided after this time has failed; 10 s unless said. */
  readonly pluginDeadlineMs?: number | undefined;
  /** Decides about requests in flight; without it nothing is counted. */
  readonly admission?: RequestAdmission | undefined;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Logger;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** The revision in force, for the log. */
  readonly revision: () => number;
  /** The configuration is too old to be served; absent: it never is. */
  readonly isTooOld?: (() => boolean) | undefined;
  readonly accessLog: LineLog | undefined;
  /** Counts every request that is over. */
  readonly requests?: CounterSeries | undefined;
  /** Counts who used what; without it nobody does. */
  readonly usage?: RequestUsage | undefined;
}

/** What counts requests that are over by who sent them and where they went. `atSeconds`: Unix. */
interface RequestUsage {
  count(consumer: ConsumerMatch | undefined, route: RuntimeRoute | undefined, status: number, atSeconds: number): void;
}

/** Where lines of the access log go. */
export interface LineLog {
  /** The writer for one line without its line break, or undefined when the line would be lost. Answered by `endLine`. */
  beginLine(): ByteWriter | undefined;
  endLine(): void;
}

/** Most contexts kept for further requests; more are only in use when more requests than this run at once. */
const MAX_KEPT_CONTEXTS = 4096;
/** Longest request id of a client that is kept for the log. */
const MAX_CLIENT_REQUEST_ID = 128;
const CLIENT_REQUEST_ID = Buffer.from('x-request-id');
const REQUEST_ID_START = Buffer.from(`${REQUEST_ID_HEADER}: `, 'latin1');

/** Decides about every request: path, route, plugins, node; and writes its line of the access log. */
export class Pipeline implements ExchangeHandler {
  readonly #options: PipelineOptions;
  readonly #kept: RequestContext[] = [];
  readonly #surroundings;
  readonly #requestIds: RequestIds;
  readonly #finder: RouteFinder;
  readonly #expiryClock: Pick<Clock, 'nowMs'>;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { headerRules, consumers, clock, trustedAddresses, admission, routes } = options;
    this.#surroundings = {
      headerRules,
      consumers,
      trustedAddresses,
      admission,
      monotonicMs: () => clock.monotonicMs(),
      nowMs: () => clock.nowMs(),
      enter: options.enter,
      pluginsOfConsumer: (username: string, text: string) => routes.pluginsOfConsumer(username, text),
      filterResponse: filterHead,
      inTime: <Result>(waiting: PromiseLike<Result>) => inTime(waiting, clock, options.pluginDeadlineMs ?? PLUGIN_DEADLINE_MS),
      filterFailed: (context: RequestContext, error: unknown) => void this.#unfiltered(context, error),
    };
    this.#requestIds = new RequestIds(options.random);
    this.#finder = new RouteFinder(options.routes, options.random);
    this.#expiryClock = options.expiryClock ?? clock;
  }

  onRequest(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    const head = exchange.head;
    if (head === undefined) {
      this.#refuse(context, exchange, 'internal');
      return;
    }
    context.clientRequestId = clientRequestId(head);
    if (this.#options.isTooOld?.() === true) {
      this.#refuse(context, exchange, 'configuration_too_old');
      return;
    }
    this.#route(context, exchange, head);
  }

  /** Finds the request's route, and sends it on its way. */
  #route(context: RequestContext, exchange: Exchange, head: RequestHead): void {
    const match = this.#finder.find(head, exchange.connection, exchange.headReadAtMs);
    context.match = match;
    const { tls } = exchange.connection;
    const refusal = tls === undefined ? undefined : clientRefusal(tls, match.clientPolicy, match);
    if (refusal !== undefined) {
      this.#refuse(context, exchange, refusal);
      return;
    }
    if (!match.isConditional) {
      this.#enter(context, exchange, head, match.candidates[0], match.failure);
      return;
    }
    context.open(exchange, head);
    const selection = selectRoute(context, this.#options.routes, match);
    switch (selection.kind) {
      case 'route':
        this.#enter(context, exchange, head, selection.candidate, undefined);
        return;
      case 'none':
        this.#enter(context, exchange, head, undefined, 'route_not_found');
        return;
      case 'ambiguous':
        this.#refuse(context, exchange, 'ambiguous_path');
        return;
      case 'needs-body':
        // Routes may have changed by then: they are looked for anew.
        this.#later(context, exchange, selection.reading, () => this.#route(context, exchange, head));
    }
  }

  #enter(
    context: RequestContext,
    exchange: Exchange,
    head: RequestHead,
    candidate: RouteCandidate | undefined,
    failure: ErrorReason | undefined,
  ): void {
    const { globals } = this.#options.routes;
    // What cannot be read as a path at all is nobody's business; what no route takes is that of the global rules (APISIX).
    if (candidate === undefined && (failure !== 'route_not_found' || globals.chain.members.length === 0)) {
      this.#refuse(context, exchange, failure ?? 'route_not_found');
      return;
    }
    this.#options.enter(candidate?.route.number ?? 0, 0);
    context.open(exchange, head);
    context.enter(candidate, globals);
    if (context.chains.hasSteps || context.chains.bodyUse !== 0) this.#runPlugins(context, exchange, candidate);
    else this.#passed(context, exchange, candidate);
  }

  filterAnswer(exchange: Exchange, answer: LocalAnswer): LocalAnswer {
    const { context } = exchange;
    if (!(context instanceof RequestContext)) return answer;
    try {
      if (context.filterFailed) return errorAnswer('plugin_failed');
      return context.filtersAnswers ? filterEngineAnswer(context, answer) : answer;
    } catch (error) {
      return this.#unfiltered(context, error);
    } finally {
      // The engine takes the bytes of the head back now, whoever looks at the request later.
      context.decided();
    }
  }

  appendAnswerLines(exchange: Exchange, writer: ByteWriter): void {
    writer.appendAll(REQUEST_ID_START);
    writer.appendAll(this.#contextOf(exchange).requestIdBytes);
    writer.appendLineEnd();
  }

  /** What somebody was let in by holds for as long as the exchange goes on, unless the instance wants it otherwise. */
  objection({ context }: Exchange): ErrorReason | undefined {
    const { consumers, keepsRevoked = false } = this.#options;
    if (keepsRevoked || !(context instanceof RequestContext) || context.consumer === undefined) return undefined;
    if (!consumers.isCurrent(context.consumer)) return 'credential_revoked';
    return context.provenUntilMs <= this.#expiryClock.nowMs() ? 'credential_expired' : undefined;
  }

  onFinished(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    const { accessLog, clock, requests, usage } = this.#options;
    requests?.add();
    const endedAtMs = clock.nowMs();
    usage?.count(context.consumer, context.candidate?.route, exchange.status, Math.floor(endedAtMs / 1000));
    const line = accessLog?.beginLine();
    if (accessLog !== undefined && line !== undefined) {
      appendAccessLine(line, exchange, this.#factsOf(context, exchange), endedAtMs);
      accessLog.endLine();
    }
    if (context.chains.logs) runLogs(context, this.#options.log);
    // Code of others may keep a request beyond its end, by mistake or not: it must never meet another client's.
    const reusable = context.reusable && context.chains.sharesContexts;
    exchange.context = undefined;
    context.end();
    if (reusable && this.#kept.length < MAX_KEPT_CONTEXTS) this.#kept.push(context);
  }

  #factsOf(context: RequestContext, exchange: Exchange) {
    return {
      requestId: context.requestIdBytes,
      clientRequestId: context.clientRequestId,
      revision: context.revision,
      clientText: (context.facts ?? clientFactsOf(exchange.connection, this.#options.trustedAddresses)).logText,
      requestText: context.match?.logText,
      routeText: context.candidate?.logText,
      nodeText: context.endpoint?.logText,
      consumer: context.consumer,
      pluginsStartedAtMs: context.pluginsStartedAtMs,
    };
  }

  /** The context of an exchange; a new one for one that the engine refused before it could be asked about. */
  #contextOf(exchange: Exchange): RequestContext {
    if (exchange.context instanceof RequestContext) return exchange.context;
    const context = this.#kept.pop() ?? new RequestContext(this.#surroundings);
    this.#requestIds.next(context.requestIdBytes);
    context.begin(exchange);
    context.revision = this.#options.revision();
    exchange.context = context;
    return context;
  }

  #runPlugins(context: RequestContext, exchange: Exchange, candidate: RouteCandidate | undefined): void {
    context.pluginsStartedAtMs = exchange.headReadAtMs;
    const outcome = runPlugins(context, this.#options);
    if (outcome instanceof Promise) this.#decideLater(context, exchange, candidate, outcome);
    else this.#decide(context, exchange, candidate, outcome);
  }

  #decideLater(context: RequestContext, exchange: Exchange, candidate: RouteCandidate | undefined, outcome: Promise<PluginOutcome>): void {
    this.#later(context, exchange, outcome, (decided) => this.#decide(context, exchange, candidate, decided));
  }

  /** Goes on with a request when what it waits for is there. */
  #later<Result>(context: RequestContext, exchange: Exchange, waiting: Promise<Result>, goOn: (result: Result) => void): void {
    context.reusable = false;
    void waiting
      .then((result) => {
        // The client may have gone meanwhile; then there is nobody to answer.
        if (context.exchange === exchange) goOn(result);
      })
      .catch((error: unknown) => {
        if (context.exchange !== exchange) return;
        this.#options.log.error('a request failed', failureFields(context, undefined), error);
        this.#refuse(context, exchange, 'internal');
      });
  }

  #decide(context: RequestContext, exchange: Exchange, candidate: RouteCandidate | undefined, outcome: PluginOutcome): void {
    switch (outcome.kind) {
      case 'passed':
        this.#passed(context, exchange, candidate);
        return;
      case 'failed':
        this.#pluginFailed(context, exchange, outcome.step, outcome.error);
        return;
      case 'answered': {
        const answer = localAnswerOf(outcome.answer);
        if (answer === undefined) {
          const error = new TypeError('the plugin returned something that is no answer');
          this.#pluginFailed(context, exchange, outcome.step, error);
          return;
        }
        this.#respond(context, exchange, answer);
      }
    }
  }

  #passed(context: RequestContext, exchange: Exchange, candidate: RouteCandidate | undefined): void {
    const failure = candidate === undefined ? 'route_not_found' : context.plan(candidate);
    if (failure === undefined) exchange.forward(context);
    else this.#refuse(context, exchange, failure);
  }

  #refuse(context: RequestContext, exchange: Exchange, reason: ErrorReason): void {
    const isOfServer = reason === 'route_not_found' && context.match !== undefined && asksOfServer(context.match);
    this.#respond(context, exchange, isOfServer ? SERVER_OPTIONS : errorAnswer(reason));
  }

  #pluginFailed(context: RequestContext, exchange: Exchange, step: FailedStep, error: unknown): void {
    this.#options.log.error('a plugin failed', failureFields(context, step), error);
    this.#refuse(context, exchange, 'plugin_failed');
  }

  /** Answers, after the plugins have had their say about the answer. */
  #respond(context: RequestContext, exchange: Exchange, answer: LocalAnswer): void {
    if (!context.filtersAnswers) {
      context.decided();
      exchange.respond(answer);
      return;
    }
    let filtered: LocalAnswer | Promise<LocalAnswer>;
    try {
      filtered = filterLocalAnswer(context, answer);
    } catch (error) {
      filtered = this.#unfiltered(context, error);
    }
    if (!(filtered instanceof Promise)) {
      context.decided();
      exchange.respond(filtered);
      return;
    }
    context.reusable = false;
    void filtered
      .catch((error: unknown) => this.#unfiltered(context, error))
      .then((ready) => {
        if (context.exchange !== exchange) return;
        context.decided();
        exchange.respond(ready);
      });
  }

  /** What is answered where a filter failed. */
  #unfiltered(context: RequestContext, error: unknown): LocalAnswer {
    const [step, cause] = error instanceof FilterFailure ? [error, error.cause] : [undefined, error];
    this.#options.log.error('a plugin failed', failureFields(context, step), cause);
    return errorAnswer('plugin_failed');
  }
}

function clientRequestId(head: RequestHead): string | undefined {
  const index = head.findHeader(CLIENT_REQUEST_ID);
  if (index === -1) return undefined;
  const start = head.headers[index * 4 + 2] ?? 0;
  return head.bytes.toString('latin1', start, Math.min(head.headers[index * 4 + 3] ?? 0, start + MAX_CLIENT_REQUEST_ID));
}
