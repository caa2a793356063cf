import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { ClientConnection, Exchange, ForwardPlan, LocalAnswer, RequestHead, UpstreamTarget } from '../exchange.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import type { BodyCollector, CollectedPart } from './body-collector.ts';

/** Carries an exchange's decision out. */
export interface DecisionMaker {
  onDecided(exchange: HttpExchange): void;
  onAborted(exchange: HttpExchange, reason: ErrorReason): void;
  /** As `Exchange.readBody` and `readBodyStart`, for an exchange that is not decided yet. */
  readBody(exchange: HttpExchange, maxBytes: number, part: CollectedPart): Promise<Buffer | 'too-large'>;
  reportFailure(error: unknown): void;
}

/**
 * The engine's side of an exchange. A new one is made for each request: whoever still holds an old one, and decides late, can never
 * touch the request that follows on the connection.
 */
export class HttpExchange implements Exchange {
  head: RequestHead | undefined = undefined;
  readonly connection: ClientConnection;
  context: unknown = undefined;
  status = 0;
  reason: ErrorReason | undefined = undefined;
  upstreamStatus = 0;
  failedAttempts = '';
  upstream: UpstreamTarget | undefined = undefined;
  attempts = 0;
  bytesFromClient = 0;
  bytesToClient = 0;
  /** Of these, all in front of the body of the final answer; 0 until that has begun. */
  headBytesToClient = 0;
  readonly connectionRequests: number;
  readonly startedAtMs: number;
  headReadAtMs = 0;
  decidedAtMs = 0;
  connectedAtMs = 0;
  firstByteAtMs = 0;
  finishedAtMs = 0;
  /** When the handler was last asked whether it may go on; 0 before. */
  recheckedAtMs = 0;
  answer: LocalAnswer | undefined = undefined;
  plan: ForwardPlan | undefined = undefined;
  /** Given up by the handler while it was being asked. */
  abortReason: ErrorReason | undefined = undefined;
  /** Nothing more happens to it. */
  finished = false;
  /** What the handler has beyond the usual to decide. */
  grantedMs = 0;
  /** Made when the handler wants the body first. */
  collector: BodyCollector | undefined = undefined;
  readonly #decisionMaker: DecisionMaker;

  constructor(connection: ClientConnection, decisionMaker: DecisionMaker, startedAtMs: number, connectionRequests: number) {
    this.connection = connection;
    this.#decisionMaker = decisionMaker;
    this.startedAtMs = startedAtMs;
    this.connectionRequests = connectionRequests;
  }

  /** An attempt has ended without an answer; nginx counts it as one of this status. */
  noteFailedAttempt(reason: ErrorReason): void {
    const { status } = ERROR_CODES[reason];
    this.failedAttempts = this.failedAttempts === '' ? `${status}` : `${this.failedAttempts}, ${status}`;
  }

  get bodyBytesToClient(): number {
    return this.headBytesToClient === 0 ? 0 : Math.max(0, this.bytesToClient - this.headBytesToClient);
  }

  get undecided(): boolean {
    return this.answer === undefined && this.plan === undefined;
  }

  readBody(maxBytes: number): Promise<Buffer | 'too-large'> {
    if (this.finished || !this.undecided) return Promise.reject(new Error('the exchange is decided, or over'));
    return this.#decisionMaker.readBody(this, maxBytes, 'whole');
  }

  async readBodyStart(maxBytes: number): Promise<Buffer> {
    if (this.finished || !this.undecided) throw new Error('the exchange is decided, or over');
    const start = await this.#decisionMaker.readBody(this, maxBytes, 'start');
    return start === 'too-large' ? EMPTY_BYTES : start;
  }

  grantTime(durationMs: number): void {
    this.grantedMs += durationMs;
  }

  respond(answer: LocalAnswer): void {
    if (!this.#mayDecide()) return;
    this.answer = answer;
    this.#decisionMaker.onDecided(this);
  }

  forward(plan: ForwardPlan): void {
    if (!this.#mayDecide()) return;
    this.plan = plan;
    this.#decisionMaker.onDecided(this);
  }

  abort(reason: ErrorReason): void {
    if (!this.finished) this.#decisionMaker.onAborted(this, reason);
  }

  /** A decision that comes after the client went away is of no use. A second one is a defect of the handler: the first stands. */
  #mayDecide(): boolean {
    if (this.finished) return false;
    if (this.undecided) {
      this.collector?.stop('the exchange was decided before the body had come');
      return true;
    }
    this.#decisionMaker.reportFailure(new Error('the exchange has been decided already'));
    return false;
  }
}
