import type { ErrorReason } from '../../errors/index.ts';
import type { Endpoint, EndpointChoice, RuntimeUpstream } from '../runtime/index.ts';

/** A connection that had served before may have been closed by the upstream unnoticed; so many in a row are no accident. */
const MAX_STALE_CONNECTIONS = 3;

/**
 * Which node each attempt of one request goes to. A node is never tried twice, except that a connection found closed after it had
 * served before says nothing about its node: the same node gets the request again, and the attempt does not count (as in nginx).
 */
export class NodeAttempts {
  readonly #monotonicMs: () => number;
  readonly #tried: number[] = [];
  #upstream: RuntimeUpstream | undefined;
  #choice: EndpointChoice | undefined;
  #last: Endpoint | undefined;
  #stale = 0;
  #startedAtMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** The reason why there is no node to try at all, or undefined. */
  begin(upstream: RuntimeUpstream | undefined): ErrorReason | undefined {
    if (upstream === undefined) return 'no_upstream';
    this.#upstream = upstream;
    this.#choice = upstream.choice;
    return this.#choice.emptyReason;
  }

  end(): void {
    this.#tried.length = 0;
    this.#upstream = undefined;
    this.#choice = undefined;
    this.#last = undefined;
    this.#stale = 0;
  }

  get passesNodeHost(): boolean {
    return this.#upstream?.settings.passHost === 'node';
  }

  /** The endpoint for an attempt (counted from 0), or the reason why there is no further one. */
  next(attempt: number, previousFailure: ErrorReason | undefined): Endpoint | ErrorReason {
    const choice = this.#choice;
    if (choice === undefined) return previousFailure ?? 'internal';
    if (attempt === 0) this.#startedAtMs = this.#monotonicMs();
    else if (previousFailure === 'upstream_closed' && this.#last !== undefined && this.#stale < MAX_STALE_CONNECTIONS) {
      this.#stale++;
      return this.#last;
    } else if (!this.#mayRetry(choice)) return previousFailure ?? 'no_node';
    const index = choice.balancer.next(this.#tried);
    const endpoint = choice.balancer.nodes[index];
    if (endpoint === undefined) return previousFailure ?? 'no_usable_node';
    this.#tried.push(index);
    this.#last = endpoint;
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
