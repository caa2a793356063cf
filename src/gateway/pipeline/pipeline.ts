import type { Exchange, ExchangeHandler, RequestHead } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import { isPlainPath, normalisePath } from '../paths/index.ts';
import { hostOfHeader, methodBit, type RoutableRequest } from '../router/index.ts';
import type { PluginStep, RuntimeRoute } from '../runtime/index.ts';
import { accessLine } from './access-line.ts';
import type { ClientHeaderRules } from './client-header-rules.ts';
import { errorAnswer, requestIdLine } from './local-answers.ts';
import { localAnswerOf } from './plugin-answer.ts';
import { type ConsumerDirectory, RequestContext } from './request-context.ts';
import type { RequestIds } from './request-id.ts';
import { type PluginOutcome, runPlugins } from './run-plugins.ts';

/** What a pipeline is made from. */
export interface PipelineOptions {
  /** The routes in force. */
  readonly routes: { match(request: RoutableRequest): RuntimeRoute | undefined };
  readonly consumers: ConsumerDirectory;
  readonly headerRules: ClientHeaderRules;
  readonly requestIds: RequestIds;
  readonly clock: Clock;
  readonly log: Logger;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** The revision in force, for the log. */
  readonly revision: () => number;
  readonly accessLog: { write(line: string): void } | undefined;
}

/** Most contexts kept for further requests; more are only in use when more requests than this run at once. */
const MAX_KEPT_CONTEXTS = 1024;
/** Longest request id of a client that is kept for the log. */
const MAX_CLIENT_REQUEST_ID = 128;
const CLIENT_REQUEST_ID = Buffer.from('x-request-id');

/** Decides about every request: path, route, plugins, node; and writes its line of the access log. */
export class Pipeline implements ExchangeHandler {
  readonly #options: PipelineOptions;
  readonly #kept: RequestContext[] = [];
  readonly #surroundings;
  /** Used again for every request; a match keeps nothing of it. */
  readonly #wanted = { host: '', path: '', method: 0 };

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { headerRules, consumers, clock } = options;
    this.#surroundings = { headerRules, consumers, monotonicMs: () => clock.monotonicMs() };
  }

  onRequest(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    const head = exchange.head;
    const failure = head === undefined ? 'internal' : this.#findRoute(context, head);
    const route = context.route;
    if (failure !== undefined || route === undefined) this.#refuse(context, exchange, failure ?? 'route_not_found');
    else if (route.chain.steps.length === 0) this.#forward(context, exchange, route);
    else this.#runPlugins(context, exchange, route);
  }

  linesForEngineAnswer(exchange: Exchange): Buffer {
    return Buffer.from(requestIdLine(this.#contextOf(exchange).requestId), 'latin1');
  }

  onFinished(exchange: Exchange): void {
    const context = this.#contextOf(exchange);
    this.#options.accessLog?.write(
      accessLine(
        exchange,
        {
          requestId: context.requestId,
          clientRequestId: context.clientRequestId,
          revision: this.#options.revision(),
          method: context.method,
          path: context.rawPath,
          routeId: context.route?.id,
          serviceId: context.route?.serviceId,
          consumer: context.consumer?.username,
          credentialId: context.consumer?.credentialId,
          pluginsStartedAtMs: context.pluginsStartedAtMs,
        },
        this.#options.clock.nowMs(),
      ),
    );
    exchange.context = undefined;
    context.end();
    if (context.reusable && this.#kept.length < MAX_KEPT_CONTEXTS) this.#kept.push(context);
  }

  /** The context of an exchange; a new one for one that the engine refused before it could be asked about. */
  #contextOf(exchange: Exchange): RequestContext {
    if (exchange.context instanceof RequestContext) return exchange.context;
    const context = this.#kept.pop() ?? new RequestContext(this.#surroundings);
    context.begin(exchange, this.#options.requestIds.next());
    exchange.context = context;
    return context;
  }

  /** Puts the route into the context, or says why there is none. */
  #findRoute(context: RequestContext, head: RequestHead): ErrorReason | undefined {
    const raw = context.rawPath;
    context.clientRequestId = clientRequestId(head);
    // `OPTIONS *` speaks of the server as a whole (RFC 9110 §9.3.7), which no route stands for.
    if (raw === '*') return 'route_not_found';
    this.#wanted.host = hostOfHeader(head.bytes, head.hostStart, head.hostEnd);
    this.#wanted.method = methodBit(context.method);
    if (isPlainPath(raw)) {
      const route = this.#match(raw);
      if (route === undefined) return 'route_not_found';
      this.#enter(context, route, head, raw, raw, false);
      return undefined;
    }
    const normalised = normalisePath(raw);
    if (normalised.kind === 'refused') return normalised.reason;
    const route = this.#match(normalised.path);
    if (normalised.separatorPath !== undefined && this.#match(normalised.separatorPath) !== route) return 'ambiguous_path';
    if (route === undefined) return 'route_not_found';
    this.#enter(context, route, head, normalised.path, normalised.forwardPath, normalised.forward === 'normalised');
    return undefined;
  }

  #enter(context: RequestContext, route: RuntimeRoute, head: RequestHead, path: string, forwardPath: string, rewritten: boolean): void {
    this.#options.enter(route.number, 0);
    context.enterRoute(route, head, path, forwardPath, rewritten);
  }

  #match(path: string): RuntimeRoute | undefined {
    this.#wanted.path = path;
    return this.#options.routes.match(this.#wanted);
  }

  #runPlugins(context: RequestContext, exchange: Exchange, route: RuntimeRoute): void {
    const { clock, enter } = this.#options;
    context.pluginsStartedAtMs = clock.monotonicMs();
    const entering = (step: PluginStep): void => enter(route.number, step.number);
    const outcome = runPlugins({ steps: route.chain.steps, request: context, clock, entering });
    if (outcome instanceof Promise) this.#decideLater(context, exchange, route, outcome);
    else this.#decide(context, exchange, route, outcome);
  }

  #decideLater(context: RequestContext, exchange: Exchange, route: RuntimeRoute, outcome: Promise<PluginOutcome>): void {
    context.reusable = false;
    // The plugins' state is in use until the last of them has come back, even when the client has gone before.
    route.enter();
    void outcome.then((decided) => {
      route.leave();
      // The client may have gone meanwhile; then there is nobody to answer.
      if (context.exchange !== exchange) return;
      try {
        this.#decide(context, exchange, route, decided);
      } catch (error) {
        this.#options.log.error('a request failed', { request_id: context.requestId, route: route.id }, error);
        this.#refuse(context, exchange, 'internal');
      }
    });
  }

  #decide(context: RequestContext, exchange: Exchange, route: RuntimeRoute, outcome: PluginOutcome): void {
    switch (outcome.kind) {
      case 'passed':
        this.#forward(context, exchange, route);
        return;
      case 'failed':
        this.#pluginFailed(context, exchange, route, outcome.step, outcome.error);
        return;
      case 'answered': {
        const answer = localAnswerOf(outcome.answer, context.requestId);
        if (answer === undefined) {
          this.#pluginFailed(context, exchange, route, outcome.step, new TypeError('the plugin returned something that is no answer'));
          return;
        }
        context.decided();
        exchange.respond(answer);
      }
    }
  }

  #forward(context: RequestContext, exchange: Exchange, route: RuntimeRoute): void {
    const failure = context.plan(route);
    if (failure !== undefined) {
      this.#refuse(context, exchange, failure);
      return;
    }
    context.decided();
    exchange.forward(context);
  }

  #refuse(context: RequestContext, exchange: Exchange, reason: ErrorReason): void {
    context.decided();
    exchange.respond(errorAnswer(reason, context.requestId));
  }

  #pluginFailed(context: RequestContext, exchange: Exchange, route: RuntimeRoute, step: PluginStep, error: unknown): void {
    this.#options.log.error(
      'a plugin failed',
      { plugin: step.plugin, phase: step.phase, route: route.id, request_id: context.requestId },
      error,
    );
    this.#refuse(context, exchange, 'plugin_failed');
  }
}

function clientRequestId(head: RequestHead): string | undefined {
  const index = head.findHeader(CLIENT_REQUEST_ID);
  if (index === -1) return undefined;
  const start = head.headers[index * 4 + 2] ?? 0;
  return head.bytes.toString('latin1', start, Math.min(head.headers[index * 4 + 3] ?? 0, start + MAX_CLIENT_REQUEST_ID));
}
