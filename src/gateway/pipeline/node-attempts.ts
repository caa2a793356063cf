import type { ErrorReason } from '../../errors/index.ts';
import type { VariableSource } from '../../expression/index.ts';
import type { RequestAdmission } from '../limits/index.ts';
import type { Endpoint, EndpointChoice, RuntimeUpstream } from '../runtime/index.ts';
import { failureReport } from './failure-report.ts';

/** Stands for a slot that was not entered. */
const NOT_ENTERED = -2;
const NO_INDEX = -1;
/** What a failed attempt counts as at least, where answers are timed: nodes that refuse at once must not look quick. */
const FAILURE_MS = 1000;
/** Full nodes that a request finds by choosing; after so many all are looked at once, because each choice costs a walk over all. */
const MOST_FULL_CHOICES = 16;

/** How the last attempt of a request ended; the engine's exchange has this shape. */
export interface AttemptEnd {
  /** 0: there was no answer. */
  readonly upstreamStatus: number;
  readonly reason: ErrorReason | undefined;
  readonly firstByteAtMs: number;
}

/**
 * Which node each attempt of one request goes to; none is tried twice, and one that is full is passed over. As long as the request lasts it
 * is counted for its service and for the node it is on. How each attempt ends is told to whoever looks after the nodes.
 */
export class NodeAttempts {
  readonly #monotonicMs: () => number;
  readonly #tried: number[] = [];
  #upstream: RuntimeUpstream | undefined;
  #choice: EndpointChoice | undefined;
  #first: Endpoint | undefined;
  #last: Endpoint | undefined;
  #startedAtMs = 0;
  readonly #admission: RequestAdmission | undefined;
  #attempts = 0;
  #fullChoices = 0;
  #keyHash = 0;
  /** Of the endpoint in `#choice` that the last attempt went to. */
  #lastIndex = NO_INDEX;
  #chosenIndex = NO_INDEX;
  #attemptStartedAtMs = 0;
  #serviceSlot = NOT_ENTERED;
  #nodeSlot = NOT_ENTERED;

  constructor(monotonicMs: () => number, admission: RequestAdmission | undefined) {
    this.#monotonicMs = monotonicMs;
    this.#admission = admission;
  }

  /** Chooses the first endpoint, or says why there is none. The request's head may depend on it, so this comes before all else. */
  begin(upstream: RuntimeUpstream | undefined, request: VariableSource): Endpoint | ErrorReason {
    if (upstream === undefined) return 'no_upstream';
    const choice = upstream.choice;
    if (choice.emptyReason !== undefined) return choice.emptyReason;
    if (this.#admission?.enterService(upstream.loadSlot) === false) return this.#refused('service_overloaded');
    this.#serviceSlot = upstream.loadSlot;
    this.#upstream = upstream;
    this.#choice = choice;
    if (upstream.settings.retryTimeoutMs !== 0) this.#startedAtMs = this.#monotonicMs();
    // Now, while the head is there: later attempts go by it too.
    if (upstream.hashKey !== undefined) this.#keyHash = upstream.hashKey(request);
    this.#first = this.#choose(choice);
    // Nodes there are, but all of weight 0 (APISIX answers 502 here, 503 where there is no node at all).
    if (this.#first === undefined) return this.#fullChoices > 0 ? this.#refused('nodes_overloaded') : 'no_usable_node';
    return this.#first;
  }

  /** The request is over; `end` tells how, where it got as far as a node. */
  end(end?: AttemptEnd): void {
    if (this.#lastIndex !== NO_INDEX && end !== undefined) this.#noteEnd(end);
    this.#leaveNode();
    if (this.#serviceSlot !== NOT_ENTERED) this.#admission?.leaveService(this.#serviceSlot);
    this.#serviceSlot = NOT_ENTERED;
    this.#attempts = 0;
    this.#fullChoices = 0;
    // Emptied one by one the array keeps its memory; a new length would give it up.
    while (this.#tried.length > 0) this.#tried.pop();
    this.#upstream = undefined;
    this.#choice = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.#lastIndex = NO_INDEX;
    this.#chosenIndex = NO_INDEX;
  }

  /** For what is not answered by a status: the node of the last attempt has taken it. How it ends later says nothing of the node. */
  noteReached(): void {
    if (this.#lastIndex === NO_INDEX) return;
    this.#choice?.health?.note(this.#lastIndex, 'success');
    this.#lastIndex = NO_INDEX;
    if (this.#upstream?.isMeasured !== true) return;
    const nowMs = this.#monotonicMs();
    this.#last?.latency?.note(Math.max(0, nowMs - this.#attemptStartedAtMs), nowMs);
  }

  /** The endpoint that was given for the last attempt. */
  get last(): Endpoint | undefined {
    return this.#last;
  }

  /** The endpoint for an attempt (counted from 0), or the reason why there is no further one. */
  next(attempt: number, previousFailure: ErrorReason | undefined): Endpoint | ErrorReason {
    const choice = this.#choice;
    if (attempt === 0) {
      this.#attemptBegins(this.#first);
      return this.#first ?? 'internal';
    }
    if (previousFailure !== undefined) this.#noteFailure(previousFailure);
    this.#lastIndex = NO_INDEX;
    this.#leaveNode();
    if (choice === undefined || !this.#mayRetry(choice)) return previousFailure ?? 'internal';
    if (this.#isTooLate()) return 'retry_timeout';
    const endpoint = this.#choose(choice);
    if (endpoint === undefined) return previousFailure ?? 'internal';
    this.#attemptBegins(endpoint);
    return endpoint;
  }

  #attemptBegins(endpoint: Endpoint | undefined): void {
    this.#last = endpoint;
    this.#lastIndex = this.#chosenIndex;
    if (this.#upstream?.isMeasured === true) this.#attemptStartedAtMs = this.#monotonicMs();
  }

  #noteEnd({ upstreamStatus, reason, firstByteAtMs }: AttemptEnd): void {
    if (upstreamStatus === 0) {
      if (reason !== undefined) this.#noteFailure(reason);
      return;
    }
    this.#choice?.health?.noteStatus(this.#lastIndex, upstreamStatus);
    if (this.#upstream?.isMeasured !== true) return;
    const nowMs = this.#monotonicMs();
    this.#last?.latency?.note(Math.max(0, firstByteAtMs - this.#attemptStartedAtMs), nowMs);
  }

  #noteFailure(reason: ErrorReason): void {
    const report = failureReport(reason);
    if (report === undefined || this.#lastIndex === NO_INDEX) return;
    this.#choice?.health?.note(this.#lastIndex, report);
    if (this.#upstream?.isMeasured !== true) return;
    const nowMs = this.#monotonicMs();
    this.#last?.latency?.note(Math.max(FAILURE_MS, nowMs - this.#attemptStartedAtMs), nowMs);
  }

  #choose(choice: EndpointChoice): Endpoint | undefined {
    const down = choice.health?.down;
    for (;;) {
      const isLast = this.#fullChoices >= MOST_FULL_CHOICES;
      const index = choice.balancer.next(this.#tried, isLast ? this.#downOrFull(choice, down) : down, this.#keyHash);
      const endpoint = choice.balancer.nodes[index];
      if (endpoint === undefined) return undefined;
      this.#tried.push(index);
      if (this.#admission?.enterNode(endpoint.loadSlot) !== false) {
        this.#nodeSlot = endpoint.loadSlot;
        this.#chosenIndex = index;
        this.#attempts++;
        return endpoint;
      }
      this.#fullChoices++;
      // It was free a moment ago: the instance is at its limit, and another look would be of no more use.
      if (isLast) return undefined;
    }
  }

  /** A 1 for each node that is down or full. */
  #downOrFull({ balancer: { nodes } }: EndpointChoice, down: Uint8Array | undefined): Uint8Array {
    const mask = down === undefined ? new Uint8Array(nodes.length) : Uint8Array.from(down);
    const admission = this.#admission;
    if (admission === undefined) return mask;
    for (let index = 0; index < nodes.length; index++) {
      const slot = nodes[index]?.loadSlot;
      if (slot === undefined || mask[index] === 1) continue;
      if (admission.enterNode(slot)) admission.leaveNode(slot);
      else mask[index] = 1;
    }
    return mask;
  }

  #leaveNode(): void {
    if (this.#nodeSlot !== NOT_ENTERED) this.#admission?.leaveNode(this.#nodeSlot);
    this.#nodeSlot = NOT_ENTERED;
  }

  #refused(reason: ErrorReason): ErrorReason {
    this.#admission?.refused(reason);
    return reason;
  }

  #mayRetry(choice: EndpointChoice): boolean {
    const settings = this.#upstream?.settings;
    if (settings === undefined) return false;
    const retries = settings.retries ?? choice.balancer.nodes.length - 1;
    return this.#attempts <= retries;
  }

  /** APISIX answers 502 then, whatever went wrong before. */
  #isTooLate(): boolean {
    const retryTimeoutMs = this.#upstream?.settings.retryTimeoutMs ?? 0;
    return retryTimeoutMs !== 0 && this.#monotonicMs() - this.#startedAtMs >= retryTimeoutMs;
  }
}
