import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import { isDroppedTrailer } from '../parser/trailer-fields.ts';
import { acceptsUpgrade, type UpgradeOffer } from '../tunnel/upgrade-offer.ts';
import { appendChunk, appendLastChunk } from '../writer/body-writer.ts';
import type { OutputBuffer } from '../writer/output-buffer.ts';
import { type AnswerFraming, appendInterimHead, appendResponseHead, connectionLine, isOwnField } from '../writer/response-head-writer.ts';
import type { ForwardingClient } from './forwarding-client.ts';

const SWITCHING_PROTOCOLS = 101;
/** What follows in less is read at once with the head, or costs no more to copy. */
const BULK_BYTES = 64 * 1024;

/** How far the relay of one response got. */
export const RELAY = { more: 0, done: 1, failed: 2, switched: 3 } as const;

/** Carries one response from the upstream's bytes to the client: the head rewritten, the body in the framing the client knows. */
export class ResponseRelay {
  /** The final head is on its way: no other answer can be given any more. */
  headSent = false;
  /** The connection to the client may serve another request after this answer. */
  keepAlive = false;
  /** The upstream's connection may be used again, as far as the response tells. */
  upstreamKeepsAlive = false;
  /** The transport to the client keeps the buffer that was passed on last. */
  lent = false;
  upstreamKeepAliveMs = Number.POSITIVE_INFINITY;
  /** Monotonic time when a head began to arrive that is not yet whole; 0 where there is none. */
  headBegunAtMs = 0;
  readonly #context: EngineContext;
  readonly #client: ForwardingClient;
  readonly #body: BodyReader;
  /** Trailer fields of upstreams that go no further: what they cannot say in a head they cannot say behind the body. */
  readonly #isLeftOut = (bytes: Buffer, start: number, end: number): boolean =>
    isDroppedTrailer(bytes, start, end) || isOwnField(this.#context, bytes, start, end);
  #parser: ResponseParser | undefined = undefined;
  #exchange: HttpExchange | undefined = undefined;
  #isHead = false;
  /** What the request offered to change to, if it did. */
  #offer: UpgradeOffer | undefined = undefined;
  #headDone = false;
  #framing: AnswerFraming = 'none';
  #status = 0;
  #interimResponses = 0;

  constructor(context: EngineContext, client: ForwardingClient) {
    this.#context = context;
    this.#client = client;
    this.#body = new BodyReader(context.limits);
  }

  begin(exchange: HttpExchange, isHead: boolean, offer: UpgradeOffer | undefined): void {
    this.#exchange = exchange;
    this.#isHead = isHead;
    this.#offer = offer;
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
    this.#exchange = undefined;
  }

  /** What has been sent of the answer tells where its end would be. */
  get cutIsEvident(): boolean {
    return this.headSent && (this.#framing === 'length' || this.#framing === 'chunked');
  }

  /** The answer ends with its head, whatever its fields say. */
  get bodyless(): boolean {
    return this.#framing === 'none' || this.#framing === 'declared';
  }

  /** So much of the body is to come, and goes on as it is, that it is worth a buffer of its own. */
  get bulk(): boolean {
    const { kind, remaining } = this.#body;
    return this.headSent && (kind === 'length' ? remaining >= BULK_BYTES : kind === 'close' && this.#framing === 'close');
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
    const output = this.#context.output;
    output.begin(length + 1024);
    let position = 0;
    while (!this.#headDone) {
      this.#parser ??= this.#context.responseParsers.take();
      const status = this.#parser.feed(bytes, position, length);
      if (status === PARSE.failed || (status === PARSE.done && !this.#takeHead(this.#parser, output))) return this.#fail(output);
      position = this.#parser.nextPosition;
      if (status === PARSE.more) {
        this.#noteHead(this.#parser.headLength > 0);
        return this.#send(output, RELAY.more);
      }
      this.headBegunAtMs = 0;
      if (this.#headDone) this.#releaseParser();
      else this.#parser.reset();
    }
    if (this.#status === SWITCHING_PROTOCOLS) return this.#readThrough(output, bytes, position, length);
    return this.#readBody(output, bytes, position, length);
  }

  /** A head that goes on in a later read is timed as a whole, not from byte to byte. */
  #noteHead(begun: boolean): void {
    if (!begun) this.headBegunAtMs = 0;
    else if (this.headBegunAtMs === 0) this.headBegunAtMs = this.#context.clock.monotonicMs();
  }

  /** The upstream sends nothing more. `orderly`: it said so, rather than being cut off. */
  finish(orderly: boolean): number {
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
      if (event === BODY.failed) return this.#fail(output);
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

  /** Writes a head that has been read; false where it breaks the protocol. */
  #takeHead(head: ResponseParser, output: OutputBuffer): boolean {
    if (head.status >= 200) {
      this.#takeFinalHead(head, output);
      return true;
    }
    if (head.status === SWITCHING_PROTOCOLS) return this.#takeSwitch(head, output);
    if (++this.#interimResponses > this.#context.limits.interimResponses) return false;
    // RFC 9110 §15.2: one 100 is the answer to one expectation, and the gateway has given it.
    const doubled = head.status === 100 && this.#client.sentContinue;
    if (this.#client.minorVersion === 1 && !doubled) appendInterimHead(output, head, this.#context.ownResponseFields);
    return true;
  }

  /** RFC 9110 §15.2.2. A change of protocol that was not offered answers a question that was not asked. */
  #takeSwitch(head: ResponseParser, output: OutputBuffer): boolean {
    const offer = this.#offer;
    const exchange = this.#exchange;
    if (offer === undefined || exchange === undefined || !acceptsUpgrade(head, offer)) return false;
    this.#status = SWITCHING_PROTOCOLS;
    this.#headDone = true;
    appendResponseHead(output, head, this.#context, exchange, 'none', offer.lines);
    return true;
  }

  /** What follows a 101 is of the other protocol. */
  #readThrough(output: OutputBuffer, bytes: Buffer, start: number, end: number): number {
    output.append(bytes, start, end);
    return this.#send(output, RELAY.switched);
  }

  #takeFinalHead(head: ResponseParser, output: OutputBuffer): void {
    const context = this.#context;
    const minorVersion = this.#client.minorVersion;
    // RFC 9112 §6.3: these have no body, whatever their fields say.
    const bodyless = this.#isHead || head.status === 204 || head.status === 304;
    if (bodyless) {
      this.#framing = head.status !== 204 && head.framing === 'length' ? 'declared' : 'none';
      this.#body.begin('none', 0);
    } else {
      this.#framing = head.framing === 'length' ? 'length' : minorVersion === 1 ? 'chunked' : 'close';
      this.#body.begin(head.framing, head.contentLength);
    }
    this.keepAlive = this.#framing !== 'close' && this.#client.keepsAlive();
    this.upstreamKeepsAlive = head.wantsKeepAlive && (bodyless || head.framing !== 'close');
    this.upstreamKeepAliveMs = head.keepAliveMs;
    this.#status = head.status;
    this.#headDone = true;
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    appendResponseHead(output, head, context, exchange, this.#framing, connectionLine(this.keepAlive, minorVersion));
  }

  #send(output: OutputBuffer, status: number): number {
    const sent = output.send(this.#client.transport);
    const exchange = this.#exchange;
    if (exchange === undefined) return status;
    exchange.bytesToClient += sent;
    if (this.#headDone && !this.headSent) {
      this.headSent = true;
      exchange.status = this.#status;
      exchange.upstreamStatus = this.#status;
    }
    return status;
  }

  #fail(output: OutputBuffer): number {
    output.discard();
    this.upstreamKeepsAlive = false;
    return RELAY.failed;
  }

  #releaseParser(): void {
    const parser = this.#parser;
    if (parser === undefined) return;
    this.#parser = undefined;
    parser.reset();
    this.#context.responseParsers.giveBack(parser);
  }
}
