import type { ErrorReason } from '../../errors/index.ts';
import { isBodylessStatus } from '../forwarding/bodyless-status.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY, type ChunkedLimits } from '../parser/chunked-parser.ts';
import type { FieldLines } from '../parser/field-lines.ts';
import { FIELD } from '../parser/known-fields.ts';
import { PARSE } from '../parser/parse-status.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import { grpcTrailers } from './grpc-status.ts';
import type { RequestForm } from './request-form.ts';
import type { Http2Stream } from './session/http2-stream.ts';
import type { StreamTools } from './stream-tools.ts';
import { webSocketAccept } from './web-socket-accept.ts';

const SWITCHING_PROTOCOLS = 101;
const RESET_CONTENT = 205;
/** RFC 9110 §15; what lies beyond is no status. */
const HIGHEST_STATUS = 599;
const GRPC = /^application\/grpc(?:$|[+;\t ])/i;

/** What became of bytes that were written. */
export const WRITTEN = {
  /** More of the message is to come. */
  more: 0,
  /** The message is whole. */
  whole: 1,
  /** HTTP/2 has no way to say this. */
  failed: 2,
  /** From here on bytes are of another protocol. */
  switched: 3,
} as const;

/** Fields of HTTP/1.1's connections and framing, which HTTP/2 does without. */
const LEFT_OUT: ReadonlySet<number> = new Set([
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.te,
  FIELD.transferEncoding,
  FIELD.upgrade,
]);

/** Sends one answer, which the engine writes as HTTP/1.1, on a stream of HTTP/2: the head, interim ones before it, the body and trailers. */
export class ResponseWriter {
  /** The final head is sent. */
  headSent = false;
  /** Bytes of the body given to the stream. */
  bodyBytes = 0;
  /** The stream has kept bytes of those that were written last. */
  kept = false;
  readonly #stream: Http2Stream;
  readonly #form: RequestForm;
  readonly #reason: () => ErrorReason | undefined;
  readonly #body: BodyReader;
  readonly #tools: StreamTools;
  /** While a part of a head has come. */
  #parser: ResponseParser | undefined = undefined;
  /** Trailer fields, name and value in turn. */
  #trailers: string[] = [];
  #takesTrailers = false;
  /** The answer has no content, whatever comes behind its head (RFC 9110 §15.3.6). */
  #withoutContent = false;

  /** `reason`: why the answer is the gateway's own. */
  constructor(stream: Http2Stream, form: RequestForm, tools: StreamTools, limits: ChunkedLimits, reason: () => ErrorReason | undefined) {
    this.#reason = reason;
    this.#stream = stream;
    this.#form = form;
    this.#tools = tools;
    this.#body = new BodyReader(limits);
  }

  /** The answer goes no further. */
  close(): void {
    this.#tools.giveBackParser(this.#parser);
    this.#parser = undefined;
  }

  /** Carries `bytes` on; one of `WRITTEN`. */
  write(bytes: Buffer): number {
    this.kept = false;
    let position = 0;
    while (!this.headSent) {
      this.#parser ??= this.#tools.takeParser();
      const parser = this.#parser;
      const status = parser.feed(bytes, position, bytes.length);
      if (status !== PARSE.done) return status === PARSE.more ? WRITTEN.more : WRITTEN.failed;
      position = parser.nextPosition;
      const outcome = this.#takeHead(parser);
      // A head comes in one piece nearly always, so few parsers serve many answers.
      this.close();
      if (outcome === WRITTEN.more) continue;
      // The other protocol may begin in the same piece as the head that changes to it.
      if (outcome === WRITTEN.switched && position < bytes.length) this.#send(bytes, position, bytes.length);
      return outcome;
    }
    return this.#writeBody(bytes, position);
  }

  #takeHead(head: ResponseParser): number {
    const { status } = head;
    if (status === SWITCHING_PROTOCOLS) return this.#switch(head);
    if (status < 200) {
      this.#sendHead(head, status, () => true, [], false);
      return WRITTEN.more;
    }
    // RFC 8441 §5: such an answer would open the WebSocket that the upstream has refused.
    if (status > HIGHEST_STATUS || (this.#form.webSocketKey !== undefined && status < 300)) return WRITTEN.failed;
    return this.#takeFinalHead(head) ? WRITTEN.whole : WRITTEN.more;
  }

  /** True where the answer is its head alone. */
  #takeFinalHead(head: ResponseParser): boolean {
    const bodyless = this.#form.isHead || isBodylessStatus(head.status);
    const framing = bodyless || head.framing === 'close' ? 'none' : head.framing;
    this.#body.begin(framing, head.contentLength);
    const isGrpc = isGrpcAnswer(head);
    const unlikeGrpc = this.#form.isGrpc && !bodyless && head.status !== 200 && !isGrpc;
    const isAll = this.#body.done;
    this.headSent = true;
    this.#withoutContent = head.status === RESET_CONTENT;
    this.#takesTrailers = framing === 'chunked' && this.#form.takesTrailers;
    if (unlikeGrpc) this.#trailers = grpcTrailers(head.status, this.#reason());
    const tellsLength = head.status !== RESET_CONTENT && !((isGrpc || head.status === 204) && (bodyless || head.contentLength === 0));
    // The length of an answer of gRPC is no more than what its framing says; one of trailer fields alone has none.
    this.#sendHead(head, head.status, (name) => tellsLength || name !== 'content-length', isAll ? this.#trailers : [], isAll);
    return isAll;
  }

  /** RFC 8441 §5.1: what was a change of protocol is a status 200, and nothing proves that the upstream has understood but its key. */
  #switch(head: ResponseParser): number {
    const key = this.#form.webSocketKey;
    if (key === undefined || fieldValue(head, 'sec-websocket-accept') !== webSocketAccept(key)) return WRITTEN.failed;
    this.headSent = true;
    this.#sendHead(head, 200, (name) => name !== 'sec-websocket-accept' && name !== 'content-length', [], false);
    return WRITTEN.switched;
  }

  #sendHead(head: ResponseParser, status: number, goesOn: (name: string) => boolean, added: readonly string[], ends: boolean): void {
    const encoder = this.#stream.beginHead();
    if (encoder === undefined) return;
    encoder.write(':status', String(status));
    eachField(head.fields, head.bytes, (name, value) => {
      if (goesOn(name)) encoder.write(name, value);
    });
    for (let index = 0; index < added.length; index += 2) encoder.write(added[index] ?? '', added[index + 1] ?? '');
    this.#stream.sendHead(ends);
  }

  #writeBody(bytes: Buffer, start: number): number {
    const body = this.#body;
    let position = start;
    for (;;) {
      const event = body.next(bytes, position, bytes.length);
      position = body.position;
      if (event === BODY.more) return WRITTEN.more;
      if (event === BODY.failed) return WRITTEN.failed;
      if (event === BODY.data && !this.#withoutContent) this.#send(bytes, body.dataStart, body.dataEnd);
      if (body.done) {
        if (position < bytes.length) return WRITTEN.failed;
        this.#noteTrailers();
        this.#stream.end(this.#trailers);
        return WRITTEN.whole;
      }
    }
  }

  #send(bytes: Buffer, start: number, end: number): void {
    this.bodyBytes += end - start;
    if (!this.#stream.write(bytes, start, end)) this.kept = true;
  }

  #noteTrailers(): void {
    const { chunked } = this.#body;
    if (!this.#takesTrailers || chunked?.trailers === undefined) return;
    eachField(chunked.trailers, chunked.trailerBytes, (name, value) => this.#trailers.push(name, value));
  }
}

/** Those that may go on, in lower case. */
function eachField(fields: FieldLines, bytes: Buffer, take: (name: string, value: string) => void): void {
  for (let index = 0; index < fields.count; index++) {
    if (LEFT_OUT.has(fields.kind(index))) continue;
    const name = bytes.toString('latin1', fields.nameStart(index), fields.nameEnd(index)).toLowerCase();
    take(name, bytes.toString('latin1', fields.valueStart(index), fields.valueEnd(index)));
  }
}

function fieldValue(head: ResponseParser, lowerCaseName: string): string | undefined {
  const index = head.fields.find(head.bytes, Buffer.from(lowerCaseName, 'latin1'), 0);
  return index === -1 ? undefined : head.bytes.toString('latin1', head.fields.valueStart(index), head.fields.valueEnd(index));
}

function isGrpcAnswer(head: ResponseParser): boolean {
  const type = fieldValue(head, 'content-type');
  return type !== undefined && GRPC.test(type);
}
