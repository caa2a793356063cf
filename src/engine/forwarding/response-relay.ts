import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan } from '../exchange.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import { isDroppedTrailer } from '../parser/trailer-fields.ts';
import type { BodyFilter, ResponseFilter } from '../response-filter.ts';
import { acceptsUpgrade, type UpgradeOffer } from '../tunnel/upgrade-offer.ts';
import { appendChunk, appendLastChunk } from '../writer/body-writer.ts';
import type { OutputBuffer } from '../writer/output-buffer.ts';
import { type AnswerFraming, appendInterimHead, appendResponseHead, connectionLine, isOwnField } from '../writer/response-head-writer.ts';
import { framingOfChanged } from './answer-framing.ts';
import { askFilter, type FilteredHead } from './ask-filter.ts';
import { isBodylessStatus } from './bodyless-status.ts';
import { FilteredAnswer } from './filtered-answer.ts';
import type { ForwardingClient } from './forwarding-client.ts';
import { RELAY } from './relay-status.ts';
import type { ResponseHeadEdits } from './response-head-edits.ts';

const SWITCHING_PROTOCOLS = 101;
/** What follows in less is read at once with the head, or costs no more to copy. */
const BULK_BYTES = 64 * 1024;

/**
 * Carries one response from the upstream's bytes to the client: the head rewritten, the body in the framing the client knows.
 *
 * Most answers go on as they came. What a filter changes, or what was asked for with another method than the client's, takes the way
 * over `#takeChangedHead`.
 */
export class ResponseRelay {
  /** The final head is on its way: no other answer can be given any more. */
  headSent = false;
  /** The connection to the client may serve another request after this answer. */
  keepAlive = false;
  /** The upstream's connection may be used again, as far as the response tells. */
  upstreamKeepsAlive = false;
  /** The response ends with its head, whatever its fields say. */
  bodyless = false;
  /** The transport to the client keeps the buffer that was passed on last. */
  lent = false;
  upstreamKeepAliveMs = Number.POSITIVE_INFINITY;
  /** The answer is whole, and a part of the response's body is still to come. */
  leavesBody = false;
  /** The answer, while its body passes through a filter. */
  filtered: FilteredAnswer | undefined = undefined;
  /** Monotonic time when a head began to arrive that is not yet whole; 0 where there is none. */
  headBegunAtMs = 0;
  readonly #context: EngineContext;
  readonly #client: ForwardingClient;
  readonly #onFilterProgress: (status: number) => void;
  #body: BodyReader;
  /** Trailer fields of upstreams that go no further: what they cannot say in a head they cannot say behind the body. */
  readonly #isLeftOut = (bytes: Buffer, start: number, end: number): boolean =>
    isDroppedTrailer(bytes, start, end) || isOwnField(this.#context, bytes, start, end);
  readonly #sendFiltered = (headLength: number): void => {
    if (headLength > 0 && this.#exchange !== undefined) this.#exchange.headBytesToClient = this.#exchange.bytesToClient + headLength;
    this.#send(this.#context.output, RELAY.more);
  };
  #parser: ResponseParser | undefined = undefined;
  #exchange: HttpExchange | undefined = undefined;
  /** The client has asked with HEAD. */
  #isHead = false;
  /** The upstream was asked with HEAD. */
  #sentHead = false;
  #filter: ResponseFilter | undefined = undefined;
  /** The answer's body is not the upstream's: filtered, or thrown away. */
  #changed = false;
  /** What the request offered to change to, if it did. */
  #offer: UpgradeOffer | undefined = undefined;
  #headDone = false;
  #framing: AnswerFraming = 'none';
  #status = 0;
  #upstreamStatus = 0;
  #interimResponses = 0;

  /** `onFilterProgress` hears, as `RELAY` says, what becomes of an answer while nothing is given to `read`. */
  constructor(context: EngineContext, client: ForwardingClient, onFilterProgress: (status: number) => void) {
    this.#context = context;
    this.#client = client;
    this.#onFilterProgress = onFilterProgress;
    this.#body = new BodyReader(context.answerLimits);
  }

  /** `isHead`: the client has asked with HEAD; `sentHead`: the upstream is asked so. */
  begin(exchange: HttpExchange, plan: ForwardPlan, isHead: boolean, sentHead: boolean, offer: UpgradeOffer | undefined): void {
    this.#exchange = exchange;
    this.#isHead = isHead;
    this.#sentHead = sentHead;
    this.#offer = offer;
    this.#filter = plan.responseFilter;
    this.#changed = false;
    this.leavesBody = false;
    this.#headDone = false;
    this.headSent = false;
    this.headBegunAtMs = 0;
    this.upstreamKeepsAlive = false;
    this.#interimResponses = 0;
    this.lent = false;
  }

  /** Lets go of what belongs to the exchange. */
  end(): void {
    this.#releaseParser();
    this.#body.forget();
    this.#exchange = undefined;
    if (this.filtered === undefined) return;
    const filtered = this.filtered;
    this.filtered = undefined;
    filtered.abort();
  }

  /** What has been sent of the answer tells where its end would be. */
  get cutIsEvident(): boolean {
    return this.headSent && (this.#framing === 'length' || this.#framing === 'chunked');
  }

  /** So much of the body is to come, and goes on as it is, that it is worth a buffer of its own. */
  get bulk(): boolean {
    const { kind, remaining } = this.#body;
    return this.headSent && !this.#changed && (kind === 'length' ? remaining >= BULK_BYTES : kind === 'close' && this.#framing === 'close');
  }

  /**
   * As `read`, for bytes of a `bulk` body in a buffer that nobody else reads into: they are sent from where they lie. With `lent`
   * the transport still does so, and the buffer is its own.
   */
  passOn(bytes: Buffer, length: number): number {
    const body = this.#body;
    const exchange = this.#exchange;
    if (exchange === undefined || body.next(bytes, 0, length) !== BODY.data) return RELAY.failed;
    const end = body.dataEnd;
    this.lent = !this.#client.transport.write(bytes.subarray(0, end));
    exchange.bytesToClient += end;
    if (end < length) this.upstreamKeepsAlive = false;
    return body.done ? RELAY.done : RELAY.more;
  }

  /** Carries `bytes[0, length)` on; one of `RELAY`. On failure nothing of these bytes is sent. */
  read(bytes: Buffer, length: number): number {
    if (this.filtered !== undefined) return this.filtered.read(bytes, 0, length);
    const output = this.#context.output;
    output.begin(length + 1024);
    let position = 0;
    while (!this.#headDone) {
      this.#parser ??= this.#context.responseParsers.take();
      const status = this.#parser.feed(bytes, position, length);
      if (status === PARSE.failed) return this.#fail(output, RELAY.failed);
      position = this.#parser.nextPosition;
      if (status === PARSE.done) {
        const taken = this.#takeHead(this.#parser, output);
        if (taken !== RELAY.more) return this.#fail(output, taken);
      }
      if (status === PARSE.more) {
        this.#noteHead(this.#parser.headLength > 0);
        return this.#send(output, RELAY.more);
      }
      this.headBegunAtMs = 0;
      if (this.#headDone) this.#releaseParser();
      else this.#parser.reset();
    }
    if (this.#changed) return this.#readChanged(output, bytes, position, length);
    if (this.#status === SWITCHING_PROTOCOLS) return this.#readThrough(output, bytes, position, length);
    return this.#readBody(output, bytes, position, length);
  }

  /** A head that goes on in a later read is timed as a whole, not from byte to byte. */
  #noteHead(begun: boolean): void {
    if (!begun) this.headBegunAtMs = 0;
    else if (this.headBegunAtMs === 0) this.headBegunAtMs = this.#context.clock.monotonicMs();
  }

  /** The reader of a body that was left, for whoever reads the rest. */
  takeBody(): BodyReader {
    const body = this.#body;
    this.#body = new BodyReader(this.#context.answerLimits);
    return body;
  }

  /** The upstream sends nothing more. `orderly`: it said so, rather than being cut off. */
  finish(orderly: boolean): number {
    this.upstreamKeepsAlive = false;
    if (this.filtered !== undefined) return this.filtered.finish(orderly);
    if (!this.#headDone || !orderly || this.#body.kind !== 'close') return RELAY.failed;
    const output = this.#context.output;
    output.begin(16);
    if (this.#framing === 'chunked') appendLastChunk(output, undefined, isDroppedTrailer);
    return this.#send(output, RELAY.done);
  }

  #readBody(output: OutputBuffer, bytes: Buffer, start: number, end: number): number {
    const body = this.#body;
    let position = start;
    for (;;) {
      const event = body.next(bytes, position, end);
      position = body.position;
      if (event === BODY.failed) return this.#fail(output, RELAY.failed);
      if (event === BODY.more) return this.#send(output, RELAY.more);
      if (event === BODY.done) break;
      if (this.#framing === 'chunked') appendChunk(output, bytes, body.dataStart, body.dataEnd);
      else output.append(bytes, body.dataStart, body.dataEnd);
    }
    if (this.#framing === 'chunked') appendLastChunk(output, body.chunked, this.#isLeftOut);
    // Bytes behind a response belong to nobody: what sent them cannot be trusted with another request.
    if (position < end) this.upstreamKeepsAlive = false;
    return this.#send(output, RELAY.done);
  }

  /** Writes a head that has been read; `more` where nothing is amiss. */
  #takeHead(head: ResponseParser, output: OutputBuffer): number {
    if (head.status >= 200) {
      const exchange = this.#exchange;
      if (exchange === undefined) return RELAY.over;
      if (this.#filter !== undefined || this.#sentHead !== this.#isHead) return this.#takeChangedHead(head, output, exchange);
      this.#takeFinalHead(head, output, exchange);
      return RELAY.more;
    }
    if (head.status === SWITCHING_PROTOCOLS) return this.#takeSwitch(head, output);
    if (++this.#interimResponses > this.#context.limits.interimResponses) return RELAY.failed;
    // RFC 9110 §15.2: one 100 is the answer to one expectation, and the gateway has given it.
    const doubled = head.status === 100 && this.#client.sentContinue;
    if (this.#client.minorVersion === 1 && !doubled) appendInterimHead(output, head, this.#context.ownResponseFields);
    return RELAY.more;
  }

  /** RFC 9110 §15.2.2. A change of protocol that was not offered answers a question that was not asked. */
  #takeSwitch(head: ResponseParser, output: OutputBuffer): number {
    const offer = this.#offer;
    const exchange = this.#exchange;
    if (offer === undefined || exchange === undefined || !acceptsUpgrade(head, offer)) return RELAY.failed;
    this.#status = SWITCHING_PROTOCOLS;
    this.#upstreamStatus = SWITCHING_PROTOCOLS;
    this.#headDone = true;
    appendResponseHead(output, head, this.#context, exchange, 'none', offer.lines, undefined);
    exchange.headBytesToClient = exchange.bytesToClient + output.length;
    return RELAY.more;
  }

  /** What follows a 101 is of the other protocol. */
  #readThrough(output: OutputBuffer, bytes: Buffer, start: number, end: number): number {
    output.append(bytes, start, end);
    return this.#send(output, RELAY.switched);
  }

  #takeFinalHead(head: ResponseParser, output: OutputBuffer, exchange: HttpExchange): void {
    const bodyless = this.#isHead || isBodylessStatus(head.status);
    if (bodyless) {
      this.#framing = head.status !== 204 && head.framing === 'length' ? 'declared' : 'none';
      this.#body.begin('none', 0);
    } else {
      this.#framing = head.framing === 'length' ? 'length' : this.#client.minorVersion === 1 ? 'chunked' : 'close';
      this.#body.begin(head.framing, head.contentLength);
    }
    this.#noteConnection(head, bodyless);
    this.#appendHead(head, output, exchange, head.status, bodyless, undefined);
  }

  /** A head that a filter may edit, or that answers another method than the client's. */
  #takeChangedHead(head: ResponseParser, output: OutputBuffer, exchange: HttpExchange): number {
    exchange.upstreamStatus = head.status;
    let changes: FilteredHead | undefined;
    if (this.#filter !== undefined) {
      // What a filter does must not find a message half written.
      this.#send(output, RELAY.more);
      changes = askFilter(this.#filter, head, this.#context, this.#isHead, this.#client);
      if (this.#exchange !== exchange) return RELAY.over;
      if (changes === undefined) return RELAY.crashed;
      output.begin(head.headLength + 1024);
    }
    const edits = changes?.edits;
    const status = edits?.finalStatus ?? head.status;
    const bodyless = this.#isHead || isBodylessStatus(status);
    const upstreamBodyless = this.#sentHead || isBodylessStatus(head.status);
    const filtered = changes?.filtered === true;
    this.#framing = framingOfChanged(head, status, this.#client.minorVersion, { bodyless, upstreamBodyless, filtered });
    this.#body.begin(upstreamBodyless ? 'none' : head.framing, head.contentLength);
    this.#changed = bodyless ? !upstreamBodyless : filtered;
    this.#noteConnection(head, upstreamBodyless);
    if (upstreamBodyless && !bodyless) head.contentLength = 0;
    this.#appendHead(head, output, exchange, status, upstreamBodyless, edits);
    if (changes?.bodyFilter !== undefined) this.#beginFiltered(changes.bodyFilter, output, exchange);
    return RELAY.more;
  }

  /** Whether the upstream's connection can serve another request, as its head tells. */
  #noteConnection(head: ResponseParser, bodyless: boolean): void {
    this.upstreamKeepsAlive = head.wantsKeepAlive && (bodyless ? !announcesForbiddenBody(head) : head.framing !== 'close');
    this.upstreamKeepAliveMs = head.keepAliveMs;
  }

  #appendHead(
    head: ResponseParser,
    output: OutputBuffer,
    exchange: HttpExchange,
    status: number,
    upstreamBodyless: boolean,
    edits: ResponseHeadEdits | undefined,
  ): void {
    const client = this.#client;
    this.keepAlive = this.#framing !== 'close' && client.keepsAlive();
    this.bodyless = upstreamBodyless;
    this.#status = status;
    this.#upstreamStatus = head.status;
    this.#headDone = true;
    appendResponseHead(output, head, this.#context, exchange, this.#framing, connectionLine(this.keepAlive, client.minorVersion), edits);
    exchange.headBytesToClient = exchange.bytesToClient + output.length;
  }

  /** From here on the filter has the body; the head, which stands in the output, goes with what it gives. */
  #beginFiltered(filter: BodyFilter, output: OutputBuffer, exchange: HttpExchange): void {
    exchange.headBytesToClient = 0;
    this.filtered = new FilteredAnswer({
      filter,
      head: output.take(),
      chunked: this.#framing === 'chunked',
      body: this.#body,
      isLeftOut: this.#isLeftOut,
      output,
      client: this.#client,
      clock: this.#context.clock,
      send: this.#sendFiltered,
      onProgress: this.#onFilterProgress,
    });
  }

  /** What follows a head whose body is not the upstream's. */
  #readChanged(output: OutputBuffer, bytes: Buffer, start: number, end: number): number {
    if (this.filtered !== undefined) return this.filtered.read(bytes, start, end);
    const event = this.#body.skip(bytes, start, end);
    this.leavesBody = event === BODY.more;
    if (event === BODY.failed || this.#body.position < end) this.upstreamKeepsAlive = false;
    return this.#send(output, RELAY.done);
  }

  #send(output: OutputBuffer, status: number): number {
    const sent = output.send(this.#client.transport);
    const exchange = this.#exchange;
    if (exchange === undefined) return status;
    exchange.bytesToClient += sent;
    if (this.#headDone && !this.headSent) {
      this.headSent = true;
      exchange.status = this.#status;
      exchange.upstreamStatus = this.#upstreamStatus;
    }
    return status;
  }

  #fail(output: OutputBuffer, status: number): number {
    output.discard();
    this.upstreamKeepsAlive = false;
    return status;
  }

  #releaseParser(): void {
    const parser = this.#parser;
    if (parser === undefined) return;
    this.#parser = undefined;
    parser.reset();
    this.#context.responseParsers.giveBack(parser);
  }
}

/**
 * RFC 9110 §8.6, RFC 9112 §6.1: a 204 tells of no body. Who does so may send it as well, at any time, and it would be read as the answer to
 * whatever is asked next.
 */
function announcesForbiddenBody({ status, framing, contentLength }: ResponseParser): boolean {
  return status === 204 && (framing === 'chunked' || contentLength > 0);
}
