import type { BlockList } from 'node:net';
import type { Exchange, ExchangeHandler, RequestHead } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import type { PluginStep, RuntimeRoute } from '../runtime/index.ts';
import { appendAccessLine } from './access-line.ts';
import { clientFactsOf } from './client-facts.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import { errorAnswer, REQUEST_ID_HEADER } from './local-answers.ts';
import { localAnswerOf } from './plugin-answer.ts';
import { type ConsumerDirectory, RequestContext } from './request-context.ts';
import { RequestIds } from './request-id.ts';
import { RouteFinder } from './route-finder.ts';
import type { RouteCandidate, RouteSource } from './route-match.ts';
import { type PluginOutcome, runPlugins } from './run-plugins.ts';

/** What a pipeline is made from. */
export interface PipelineOptions {
  /** The routes in force. */
  readonly routes: RouteSource;
  readonly consumers: ConsumerDirectory;
  readonly headerRules: ClientHeaderRules;
  /** Proxies whose word about the client is believed; undefined where nobody was named. */
  readonly trustedAddresses: BlockList | undefined;
  /** Decides about requests in flight; without it nothing is counted. */
  readonly admission?: RequestAdmission | undefined;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Logger;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** The revision in force, for the log. */
  readonly revision: () => number;
  readonly accessLog: LineLog | undefined;
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

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { headerRules, consumers, clock, trustedAddresses, admission } = options;
    this.#surroundings = { headerRules, consumers, trustedAddresses, admission, monotonicMs: () => clock.monotonicMs() };
    this.#requestIds = new RequestIds(options.random);
    this.#finder = new RouteFinder(options.routes, options.random);
  }

  onRequest(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    const head = exchange.head;
    if (head === undefined) {
      this.#refuse(context, exchange, 'internal');
      return;
    }
    context.clientRequestId = clientRequestId(head);
    const match = this.#finder.find(head, exchange.connection, exchange.headReadAtMs);
    context.match = match;
    const candidate = match.candidates[0];
    if (candidate === undefined) {
      this.#refuse(context, exchange, match.failure ?? 'route_not_found');
      return;
    }
    this.#options.enter(candidate.route.number, 0);
    context.enterRoute(candidate, exchange, head);
    if (candidate.route.chain.steps.length === 0) this.#forward(context, exchange, candidate);
    else this.#runPlugins(context, exchange, candidate);
  }

  appendAnswerLines(exchange: Exchange, writer: ByteWriter): void {
    writer.appendAll(REQUEST_ID_START);
    writer.appendAll(this.#contextOf(exchange).requestId);
    writer.appendLineEnd();
  }

  onFinished(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    const { accessLog, clock } = this.#options;
    const line = accessLog?.beginLine();
    if (accessLog !== undefined && line !== undefined) {
      appendAccessLine(line, exchange, this.#factsOf(context, exchange), clock.nowMs());
      accessLog.endLine();
    }
    exchange.context = undefined;
    context.end();
    if (context.reusable && this.#kept.length < MAX_KEPT_CONTEXTS) this.#kept.push(context);
  }

  #factsOf(context: RequestContext, exchange: Exchange) {
    return {
      requestId: context.requestId,
      clientRequestId: context.clientRequestId,
      revision: context.revision,
      clientText: clientFactsOf(exchange.connection, this.#options.trustedAddresses).logText,
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
    this.#requestIds.next(context.requestId);
    context.begin(exchange);
    context.revision = this.#options.revision();
    exchange.context = context;
    return context;
  }

  #runPlugins(context: RequestContext, exchange: Exchange, candidate: RouteCandidate): void {
    context.pluginsStartedAtMs = exchange.headReadAtMs;
    const outcome = runPlugins(candidate.route, context, this.#options);
    if (outcome instanceof Promise) this.#decideLater(context, exchange, candidate, outcome);
    else this.#decide(context, exchange, candidate, outcome);
  }

  #decideLater(context: RequestContext, exchange: Exchange, candidate: RouteCandidate, outcome: Promise<PluginOutcome>): void {
    const { route } = candidate;
    context.reusable = false;
    // The plugins' state is in use until the last of them has come back, even when the client has gone before.
    route.enter();
    void outcome.then((decided) => {
      route.leave();
      // The client may have gone meanwhile; then there is nobody to answer.
      if (context.exchange !== exchange) return;
      try {
        this.#decide(context, exchange, candidate, decided);
      } catch (error) {
        this.#options.log.error('a request failed', { request_id: requestIdOf(context), route: route.id }, error);
        this.#refuse(context, exchange, 'internal');
      }
    });
  }

  #decide(context: RequestContext, exchange: Exchange, candidate: RouteCandidate, outcome: PluginOutcome): void {
    switch (outcome.kind) {
      case 'passed':
        this.#forward(context, exchange, candidate);
        return;
      case 'failed':
        this.#pluginFailed(context, exchange, candidate.route, outcome.step, outcome.error);
        return;
      case 'answered': {
        const answer = localAnswerOf(outcome.answer);
        if (answer === undefined) {
          const error = new TypeError('the plugin returned something that is no answer');
          this.#pluginFailed(context, exchange, candidate.route, outcome.step, error);
          return;
        }
        context.decided();
        exchange.respond(answer);
      }
    }
  }

  #forward(context: RequestContext, exchange: Exchange, candidate: RouteCandidate): void {
    const failure = context.plan(candidate);
    if (failure === undefined) exchange.forward(context);
    else this.#refuse(context, exchange, failure);
  }

  #refuse(context: RequestContext, exchange: Exchange, reason: ErrorReason): void {
    context.decided();
    exchange.respond(errorAnswer(reason));
  }

  #pluginFailed(context: RequestContext, exchange: Exchange, route: RuntimeRoute, step: PluginStep, error: unknown): void {
    const fields = { plugin: step.plugin, phase: step.phase, route: route.id, request_id: requestIdOf(context) };
    this.#options.log.error('a plugin failed', fields, error);
    this.#refuse(context, exchange, 'plugin_failed');
  }
}

function requestIdOf(context: RequestContext): string {
  return context.requestId.toString('latin1');
}

function clientRequestId(head: RequestHead): string | undefined {
  const index = head.findHeader(CLIENT_REQUEST_ID);
  if (index === -1) return undefined;
  const start = head.headers[index * 4 + 2] ?? 0;
  return head.bytes.toString('latin1', start, Math.min(head.headers[index * 4 + 3] ?? 0, start + MAX_CLIENT_REQUEST_ID));
}
