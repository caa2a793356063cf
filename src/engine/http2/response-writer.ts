import type { ServerHttp2Stream } from 'node:http2';
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

/** Trailer fields by name. */
type Trailers = Record<string, string | string[]>;

/** Sends one answer, which the engine writes as HTTP/1.1, on a stream of HTTP/2: the head, interim ones before it, the body and trailers. */
export class ResponseWriter {
  /** The final head is sent. */
  headSent = false;
  /** The answer is its head alone. */
  headOnly = false;
  /** Bytes of the body given to the stream. */
  bodyBytes = 0;
  readonly #stream: ServerHttp2Stream;
  readonly #form: RequestForm;
  readonly #reason: () => ErrorReason | undefined;
  readonly #body: BodyReader;
  #parser: ResponseParser | undefined;
  #trailers: Trailers | undefined = undefined;
  #waitsForTrailers = false;
  /** The answer has no content, whatever comes behind its head (RFC 9110 §15.3.6). */
  #withoutContent = false;

  /**
   * `parser` is used until the final head is read, and may be given to another message from then on. `reason`: why the answer is the
   * gateway's own.
   */
  constructor(
    stream: ServerHttp2Stream,
    form: RequestForm,
    parser: ResponseParser,
    limits: ChunkedLimits,
    reason: () => ErrorReason | undefined,
  ) {
    this.#reason = reason;
    this.#stream = stream;
    this.#form = form;
    this.#parser = parser;
    this.#body = new BodyReader(limits);
  }

  /** What the stream asks for when the body is sent, of an answer that may have trailer fields. */
  get trailers(): Trailers {
    return this.#trailers ?? {};
  }

  /** The stream ends with `trailers`, not with the body. */
  get waitsForTrailers(): boolean {
    return this.#waitsForTrailers;
  }

  /** The parser, once it is needed no more. */
  releaseParser(): ResponseParser | undefined {
    const parser = this.#parser;
    this.#parser = undefined;
    return parser;
  }

  /** Carries `bytes` on; one of `WRITTEN`. With `copies` they may be used again afterwards. */
  write(bytes: Buffer, copies: boolean): number {
    let position = 0;
    while (!this.headSent) {
      const parser = this.#parser;
      if (parser === undefined) return WRITTEN.failed;
      const status = parser.feed(bytes, position, bytes.length);
      if (status !== PARSE.done) return status === PARSE.more ? WRITTEN.more : WRITTEN.failed;
      position = parser.nextPosition;
      const outcome = this.#takeHead(parser);
      if (outcome !== WRITTEN.more) return outcome;
      if (!this.headSent) parser.reset();
    }
    return this.#writeBody(bytes, position, copies);
  }

  #takeHead(head: ResponseParser): number {
    const { status } = head;
    if (status === SWITCHING_PROTOCOLS) return this.#switch(head);
    if (status < 200) {
      this.#stream.additionalHeaders(informationOf(head));
      return WRITTEN.more;
    }
    // RFC 8441 §5: such an answer would open the WebSocket that the upstream has refused.
    if (status > HIGHEST_STATUS || (this.#form.webSocketKey !== undefined && status < 300)) return WRITTEN.failed;
    this.#takeFinalHead(head);
    return this.headOnly ? WRITTEN.whole : WRITTEN.more;
  }

  #takeFinalHead(head: ResponseParser): void {
    const bodyless = this.#form.isHead || isBodylessStatus(head.status);
    const framing = bodyless || head.framing === 'close' ? 'none' : head.framing;
    this.#body.begin(framing, head.contentLength);
    const fields = finalFields(head, bodyless);
    const unlikeGrpc = this.#form.isGrpc && !bodyless && head.status !== 200 && !isGrpcAnswer(head);
    this.headOnly = this.#body.done;
    this.headSent = true;
    this.#withoutContent = head.status === RESET_CONTENT;
    if (unlikeGrpc) this.#trailers = grpcTrailers(head.status, this.#reason());
    if (unlikeGrpc && this.headOnly) for (const [name, value] of Object.entries(this.#trailers ?? {})) fields.push(name, String(value));
    const endStream = this.headOnly || this.#withoutContent;
    this.#waitsForTrailers = !endStream && (unlikeGrpc || (framing === 'chunked' && this.#form.takesTrailers));
    this.#stream.respond(fields, { endStream, waitForTrailers: this.#waitsForTrailers });
  }

  /** RFC 8441 §5.1: what was a change of protocol is a status 200, and nothing proves that the upstream has understood but its key. */
  #switch(head: ResponseParser): number {
    const key = this.#form.webSocketKey;
    if (key === undefined || fieldValue(head, 'sec-websocket-accept') !== webSocketAccept(key)) return WRITTEN.failed;
    const fields = [':status', '200'];
    eachField(head.fields, head.bytes, (name, value) => {
      if (name !== 'sec-websocket-accept' && name !== 'content-length') fields.push(name, value);
    });
    this.headSent = true;
    this.#stream.respond(fields);
    return WRITTEN.switched;
  }

  #writeBody(bytes: Buffer, start: number, copies: boolean): number {
    const body = this.#body;
    let position = start;
    for (;;) {
      const event = body.next(bytes, position, bytes.length);
      position = body.position;
      if (event === BODY.more) return WRITTEN.more;
      if (event === BODY.failed) return WRITTEN.failed;
      if (event === BODY.data) this.#send(bytes, body.dataStart, body.dataEnd, copies);
      if (body.done) {
        this.#noteTrailers();
        return position === bytes.length ? WRITTEN.whole : WRITTEN.failed;
      }
    }
  }

  #send(bytes: Buffer, start: number, end: number, copies: boolean): void {
    // Node has ended the answer to a HEAD already.
    if (this.#withoutContent || this.#stream.writableEnded) return;
    const piece = bytes.subarray(start, end);
    this.bodyBytes += piece.length;
    this.#stream.write(copies ? Buffer.from(piece) : piece);
  }

  #noteTrailers(): void {
    const { chunked } = this.#body;
    if (!this.#waitsForTrailers || chunked?.trailers === undefined || chunked.trailers.count === 0) return;
    const trailers: Trailers = this.#trailers ?? Object.create(null);
    eachField(chunked.trailers, chunked.trailerBytes, (name, value) => {
      const present = trailers[name];
      trailers[name] = present === undefined ? value : [...(typeof present === 'string' ? [present] : present), value];
    });
    this.#trailers = trailers;
  }
}

function finalFields(head: ResponseParser, bodyless: boolean): string[] {
  const fields = [':status', String(head.status)];
  const grpc = isGrpcAnswer(head);
  eachField(head.fields, head.bytes, (name, value) => {
    // The length of an answer of gRPC is no more than what its framing says; one of trailer fields alone has none.
    if (name === 'content-length' && head.status === RESET_CONTENT) return;
    if (name === 'content-length' && (grpc || head.status === 204) && (bodyless || head.contentLength === 0)) return;
    fields.push(name, value);
  });
  return fields;
}

function informationOf(head: ResponseParser): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  fields[':status'] = String(head.status);
  eachField(head.fields, head.bytes, (name, value) => {
    const present = fields[name];
    fields[name] = present === undefined ? value : [...(typeof present === 'string' ? [present] : present), value];
  });
  return fields;
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
