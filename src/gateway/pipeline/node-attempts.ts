import type { ErrorReason } from '../../errors/index.ts';
import type { Endpoint, EndpointChoice, RuntimeUpstream } from '../runtime/index.ts';

/** Which node each attempt of one request goes to; none is tried twice. */
export class NodeAttempts {
  readonly #monotonicMs: () => number;
  readonly #tried: number[] = [];
  #upstream: RuntimeUpstream | undefined;
  #choice: EndpointChoice | undefined;
  #first: Endpoint | undefined;
  #startedAtMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** Chooses the first endpoint, or says why there is none. The request's head may depend on it, so this comes before all else. */
  begin(upstream: RuntimeUpstream | undefined): Endpoint | ErrorReason {
    if (upstream === undefined) return 'no_upstream';
    const choice = upstream.choice;
    if (choice.emptyReason !== undefined) return choice.emptyReason;
    this.#upstream = upstream;
    this.#choice = choice;
    this.#startedAtMs = this.#monotonicMs();
    this.#first = this.#choose(choice);
    // Nodes there are, but all of weight 0 (APISIX answers 502 here, 503 where there is no node at all).
    return this.#first ?? 'no_usable_node';
  }

  end(): void {
    this.#tried.length = 0;
    this.#upstream = undefined;
    this.#choice = undefined;
    this.#first = undefined;
  }

  /** The endpoint for an attempt (counted from 0), or the reason why there is no further one. */
  next(attempt: number, previousFailure: ErrorReason | undefined): Endpoint | ErrorReason {
    const choice = this.#choice;
    if (attempt === 0) return this.#first ?? 'internal';
    if (choice === undefined || !this.#mayRetry(choice)) return previousFailure ?? 'internal';
    return this.#choose(choice) ?? previousFailure ?? 'internal';
  }

  #choose(choice: EndpointChoice): Endpoint | undefined {
    const index = choice.balancer.next(this.#tried);
    const endpoint = choice.balancer.nodes[index];
    if (endpoint !== undefined) this.#tried.push(index);
    return endpoint;
  }

  #mayRetry(choice: EndpointChoice): boolean {
    const settings = this.#upstream?.settings;
    if (settings === undefined) return false;
    const retries = settings.retries ?? choice.balancer.nodes.length - 1;
    if (this.#tried.length > retries) return false;
    return settings.retryTimeoutMs === 0 || this.#monotonicMs() - this.#startedAtMs < settings.retryTimeoutMs;
  }
}
