import type { ErrorReason } from '../../errors/index.ts';
import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { Exchange, ExchangeHandler, ForwardPlan, LocalAnswer, UpstreamTarget } from '../exchange.ts';

/** What a test wants to know of an exchange after it finished. */
export type FinishedExchange = Pick<
  Exchange,
  | 'status'
  | 'reason'
  | 'upstreamStatus'
  | 'attempts'
  | 'bytesFromClient'
  | 'bytesToClient'
  | 'bodyBytesToClient'
  | 'connectionRequests'
  | 'headReadAtMs'
  | 'decidedAtMs'
>;

/** A handler that does what the test says, and remembers how exchanges ended. */
export class TestHandler implements ExchangeHandler {
  readonly finished: FinishedExchange[] = [];
  decide: (exchange: Exchange) => void;
  /** Changes the engine's own answers. */
  filterAnswer?: (exchange: Exchange, answer: LocalAnswer) => LocalAnswer;
  objection?: (exchange: Exchange) => ErrorReason | undefined;
  /** Stands in every final answer. */
  answerLines = '';
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(decide: (exchange: Exchange) => void) {
    this.decide = decide;
  }

  onRequest(exchange: Exchange): void {
    this.decide(exchange);
  }

  appendAnswerLines(_exchange: Exchange, writer: ByteWriter): void {
    writer.appendAscii(this.answerLines);
  }

  onFinished(exchange: Exchange): void {
    this.finished.push({
      status: exchange.status,
      reason: exchange.reason,
      upstreamStatus: exchange.upstreamStatus,
      attempts: exchange.attempts,
      bytesFromClient: exchange.bytesFromClient,
      bytesToClient: exchange.bytesToClient,
      bodyBytesToClient: exchange.bodyBytesToClient,
      connectionRequests: exchange.connectionRequests,
      headReadAtMs: exchange.headReadAtMs,
      decidedAtMs: exchange.decidedAtMs,
    });
    for (const waiter of this.#waiters) if (this.finished.length >= waiter.count) waiter.resolve();
  }

  /** Resolves when that many exchanges have finished. */
  async whenFinished(count: number): Promise<readonly FinishedExchange[]> {
    if (this.finished.length < count) await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }));
    return this.finished;
  }
}

/** A plan that goes to one target, once, with what the test wants changed. */
export function planTo(target: UpstreamTarget, changes: Partial<ForwardPlan> = {}): ForwardPlan {
  return {
    requestMethod: undefined,
    requestTarget: undefined,
    hostValue: undefined,
    appendRequestLines: () => {},
    connectTimeoutMs: 60_000,
    sendTimeoutMs: 60_000,
    readTimeoutMs: 60_000,
    isDuplex: false,
    allowsUpgrade: false,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    body: undefined,
    responseFilter: undefined,
    isForbiddenTrailer: () => false,
    nextTarget: (attempt) => (attempt === 0 ? target : 'no_node'),
    ...changes,
  };
}

/** A plain answer of the gateway's own. */
export function answerOf(status: number, body: string, reason: LocalAnswer['reason'] = undefined): LocalAnswer {
  return { status, headerLines: Buffer.from('Content-Type: text/plain\r\n', 'latin1'), body: Buffer.from(body, 'latin1'), reason };
}
