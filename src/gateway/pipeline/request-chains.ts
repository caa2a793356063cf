import { type ConsumerPlugins, EMPTY_CHAIN, type HeldChain, type PluginChain, type PluginStep } from '../runtime/index.ts';

const NO_STEPS: readonly PluginStep[] = [];

/** The stages of a request before it is forwarded, in order (APISIX: global rules before the route's plugins, in each phase). */
export const STAGE = {
  globalRewrite: 0,
  rewrite: 1,
  consumerRewrite: 2,
  globalAccess: 3,
  access: 4,
  globalBeforeProxy: 5,
  beforeProxy: 6,
  done: 7,
} as const;

/** The plugins of one request: those of the global rules, and those of its route over which its consumer's come. */
export class RequestChains {
  global: PluginChain = EMPTY_CHAIN;
  /** The route's, and from `merge` on the route's with the consumer's. */
  own: PluginChain = EMPTY_CHAIN;
  #consumerRewrite: readonly PluginStep[] = NO_STEPS;
  #globals: HeldChain | undefined = undefined;
  #consumer: ConsumerPlugins | undefined = undefined;

  begin(globals: HeldChain, route: PluginChain): void {
    this.own = route;
    if (globals.chain.members.length === 0) return;
    this.global = globals.beside(route);
    this.#globals = globals;
    globals.enter();
  }

  /** The consumer is known: its plugins come over the route's. */
  merge(consumer: ConsumerPlugins): void {
    consumer.enter();
    this.#consumer = consumer;
    const { merged, rewrite } = consumer.over(this.own);
    this.own = merged;
    this.#consumerRewrite = rewrite;
  }

  end(): void {
    this.#globals?.leave();
    this.#consumer?.leave();
    this.#forget();
  }

  /** As `end`, but what the chains hold is let go later, by the function that this gives. */
  detach(): () => void {
    const globals = this.#globals;
    const consumer = this.#consumer;
    this.#forget();
    return () => {
      globals?.leave();
      consumer?.leave();
    };
  }

  #forget(): void {
    this.#globals = undefined;
    this.#consumer = undefined;
    this.global = EMPTY_CHAIN;
    this.own = EMPTY_CHAIN;
    this.#consumerRewrite = NO_STEPS;
  }

  /** Something runs before the request is forwarded. */
  get hasSteps(): boolean {
    return this.own.hasSteps || this.global.hasSteps;
  }

  /** Something looks at the answer's head or body. */
  get filtersAnswers(): boolean {
    return this.own.filtersAnswers || this.global.filtersAnswers;
  }

  /** Something puts a coding on bodies. */
  get encodesBodies(): boolean {
    return this.own.encodesBodies || this.global.encodesBodies;
  }

  /** The request's object may serve another one afterwards. */
  get sharesContexts(): boolean {
    return this.own.sharesContexts && this.global.sharesContexts;
  }

  /** Variables of the body that plugins may ask for (see `BODY_USE`). */
  get bodyUse(): number {
    return this.own.bodyUse | this.global.bodyUse;
  }

  get logs(): boolean {
    return this.own.logs.length + this.global.logs.length > 0;
  }

  /** A log phase may look at the answer's head. */
  get keepsAnswer(): boolean {
    return this.own.keepsAnswer || this.global.keepsAnswer;
  }

  /** A phase behind the decision looks at the client's head. */
  get keepsHead(): boolean {
    return this.own.keepsHead || this.global.keepsHead;
  }

  /** The calls of one `STAGE`. */
  stepsOf(stage: number): readonly PluginStep[] {
    switch (stage) {
      case STAGE.globalRewrite:
        return this.global.rewrite;
      case STAGE.rewrite:
        return this.own.rewrite;
      case STAGE.consumerRewrite:
        return this.#consumerRewrite;
      case STAGE.globalAccess:
        return this.global.access;
      case STAGE.access:
        return this.own.access;
      case STAGE.globalBeforeProxy:
        return this.global.beforeProxy;
      case STAGE.beforeProxy:
        return this.own.beforeProxy;
      default:
        return NO_STEPS;
    }
  }
}
