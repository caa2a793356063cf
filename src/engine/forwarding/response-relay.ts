import type { HttpExchange } from '../connection/http-exchange.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ForwardPlan } from '../exchange.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import { isDroppedTrailer } from '../parser/trailer-fields.ts';
import { appendChunk, appendLastChunk } from '../writer/body-writer.ts';
import type { OutputBuffer } from '../writer/output-buffer.ts';
import { type AnswerFraming, appendInterimHead, appendResponseHead, connectionLine } from '../writer/response-head-writer.ts';
import type { ForwardingClient } from './forwarding-client.ts';

/** How far the relay of one response got. */
export const RELAY = { more: 0, done: 1, failed: 2 } as const;

/** Carries one response from the upstream's bytes to the client: the head rewritten, the body in the framing the client knows. */
export class ResponseRelay {
  /** The final head is on its way: no other answer can be given any more. */
  headSent = false;
  /** The connection to the client may serve another request after this answer. */
  keepAlive = false;
  /** The upstream's connection may be used again, as far as the response tells. */
  upstreamKeepsAlive = false;
  upstreamKeepAliveMs = Number.POSITIVE_INFINITY;
  readonly #context: EngineContext;
  readonly #client: ForwardingClient;
  readonly #body: BodyReader;
  #parser: ResponseParser | undefined = undefined;
  #exchange: HttpExchange | undefined = undefined;
  #plan: ForwardPlan | undefined = undefined;
  #isHead = false;
  #headDone = false;
  #framing: AnswerFraming = 'none';
  #status = 0;
  #interimResponses = 0;

  constructor(context: EngineContext, client: ForwardingClient) {
    this.#context = context;
    this.#client = client;
    this.#body = new BodyReader(context.limits);
  }

  begin(exchange: HttpExchange, plan: ForwardPlan, isHead: boolean): void {
    this.#exchange = exchange;
    this.#plan = plan;
    this.#isHead = isHead;
    this.#headDone = false;
    this.headSent = false;
    this.upstreamKeepsAlive = false;
    this.#interimResponses = 0;
  }

  /** Lets go of what belongs to the exchange. */
  end(): void {
    this.#releaseParser();
    this.#exchange = undefined;
    this.#plan = undefined;
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
      if (status === PARSE.more) return this.#send(output, RELAY.more);
      if (this.#headDone) this.#releaseParser();
      else this.#parser.reset();
    }
    return this.#readBody(output, bytes, position, length);
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
    if (this.#framing === 'chunked') appendLastChunk(output, body.chunked, isDroppedTrailer);
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
    // Nothing was offered to switch to, so 101 answers a question that was not asked.
    if (head.status === 101 || ++this.#interimResponses > this.#context.limits.interimResponses) return false;
    if (this.#client.minorVersion === 1) appendInterimHead(output, head, this.#context.ownResponseFields);
    return true;
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
    appendResponseHead(output, head, {
      framing: this.#framing,
      connectionLine: connectionLine(this.keepAlive, minorVersion),
      responseLines: this.#plan?.responseLines ?? Buffer.alloc(0),
      ownFields: context.ownResponseFields,
      serverLine: context.serverLine,
      dateLine: context.date.line,
    });
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
