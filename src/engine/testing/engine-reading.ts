import { ERROR_CODES } from '../../errors/index.ts';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { HeadParser } from '../parser/head-parser.ts';
import { PARSE } from '../parser/parse-status.ts';
import { RequestParser } from '../parser/request-parser.ts';
import { ResponseParser } from '../parser/response-parser.ts';
import type { ReferenceRequest, ReferenceRequestHead, ReferenceRequestLimits } from './reference-request.ts';
import type { ReferenceResponse, ReferenceResponseContext, ReferenceResponseHead, ReferenceResponseLimits } from './reference-response.ts';
import { connectionOptions, lowerCase, type ReferenceField } from './reference-scan.ts';

/** What stands before the bytes in each buffer, so that offsets which forget their origin are found out. */
const MARGIN = 'before';

/** What the engine's own parsers make of the bytes when they arrive in these pieces, in the form of the reference parser. */
export function readWithEngine(text: string, cuts: readonly number[], limits: ReferenceRequestLimits): ReferenceRequest {
  const parser = new RequestParser(limits);
  const input = new Pieces(text, cuts);
  const status = feedHead(parser, input);
  if (status === PARSE.more) return { kind: 'unfinished', head: undefined };
  if (status === PARSE.failed) return { kind: 'refused', status: ERROR_CODES[parser.reason].status };
  const head = requestHead(parser);
  const body = new BodyReader(limits);
  body.begin(parser.body, parser.contentLength);
  const event = readBody(body, input);
  if (event.kind === 'failed') return { kind: 'bad body', head };
  if (event.kind === 'more') return { kind: 'unfinished', head };
  return { kind: 'whole', head, body: event.text, trailers: trailersOf(body), end: input.consumed };
}

/** The same for a response. */
export function readResponseWithEngine(
  text: string,
  cuts: readonly number[],
  limits: ReferenceResponseLimits,
  context: ReferenceResponseContext,
): ReferenceResponse {
  const parser = new ResponseParser(limits.headBytes, limits.headerCount);
  const input = new Pieces(text, cuts);
  const status = feedHead(parser, input);
  if (status === PARSE.more) return { kind: 'unfinished', head: undefined };
  if (status === PARSE.failed) return { kind: 'refused' };
  const head = responseHead(parser);
  const bodyless = context.isHead || head.status < 200 || head.status === 204 || head.status === 304;
  const body = new BodyReader(limits);
  body.begin(bodyless ? 'none' : head.framing, head.contentLength);
  const event = readBody(body, input);
  if (event.kind === 'failed') return { kind: 'bad body', head };
  const ended = event.kind === 'done' || (context.ended && body.kind === 'close');
  return ended ? { kind: 'whole', head, body: event.text, trailers: trailersOf(body), end: input.consumed } : { kind: 'unfinished', head };
}

/** A text in pieces, each in a buffer of its own that is overwritten when the next is asked for, as a transport's are. */
class Pieces {
  consumed = 0;
  bytes: Buffer = Buffer.alloc(0);
  /** Offset of the next byte in `bytes`. */
  position = 0;
  readonly #text: string;
  readonly #ends: number[];
  #start = 0;

  constructor(text: string, cuts: readonly number[]) {
    this.#text = text;
    this.#ends = [...cuts].filter((cut) => cut > 0 && cut < text.length).sort((left, right) => left - right);
    this.#ends.push(text.length);
  }

  /** Goes on to the next piece; false when there is none. */
  next(): boolean {
    this.bytes.fill(0x58);
    const end = this.#ends.shift();
    if (end === undefined) return false;
    this.bytes = Buffer.from(MARGIN + this.#text.slice(this.#start, end), 'latin1');
    this.position = MARGIN.length;
    this.#start = end;
    return true;
  }

  takeTo(position: number): void {
    this.consumed += position - this.position;
    this.position = position;
  }
}

function feedHead(parser: HeadParser, input: Pieces): number {
  let status: number = PARSE.more;
  while (status === PARSE.more && input.next()) {
    status = parser.feed(input.bytes, input.position, input.bytes.length);
    input.takeTo(parser.nextPosition);
  }
  if (status === PARSE.done) parser.retain();
  return status;
}

function readBody(body: BodyReader, input: Pieces): { readonly kind: 'more' | 'done' | 'failed'; readonly text: string } {
  let text = '';
  do {
    for (;;) {
      const event = body.next(input.bytes, input.position, input.bytes.length);
      if (event === BODY.data) text += input.bytes.toString('latin1', body.dataStart, body.dataEnd);
      input.takeTo(body.position);
      if (event === BODY.done) return { kind: 'done', text };
      if (event === BODY.failed) return { kind: 'failed', text };
      if (event === BODY.more) break;
    }
  } while (input.next());
  return { kind: 'more', text };
}

function requestHead(parser: RequestParser): ReferenceRequestHead {
  const text = (start: number, end: number): string => parser.bytes.toString('latin1', start, end);
  const fields = fieldsOf(parser);
  return {
    method: text(parser.methodStart, parser.methodEnd),
    target: text(parser.targetStart, parser.targetEnd),
    host: text(parser.hostStart, parser.hostEnd),
    minorVersion: parser.minorVersion,
    fields,
    named: namedBy(parser, fields),
    framing: parser.body,
    contentLength: parser.contentLength,
    keepAlive: parser.wantsKeepAlive,
    expectsContinue: parser.expectsContinue,
  };
}

function responseHead(parser: ResponseParser): ReferenceResponseHead {
  const fields = fieldsOf(parser);
  return {
    status: parser.status,
    statusText: parser.bytes.toString('latin1', parser.statusStart, parser.statusEnd),
    minorVersion: parser.minorVersion,
    fields,
    named: namedBy(parser, fields),
    framing: parser.framing,
    contentLength: parser.contentLength,
    keepAlive: parser.wantsKeepAlive,
  };
}

function fieldsOf(parser: HeadParser): readonly ReferenceField[] {
  const { fields, bytes } = parser;
  return Array.from({ length: fields.count }, (_, index) => [
    bytes.toString('latin1', fields.nameStart(index), fields.nameEnd(index)),
    bytes.toString('latin1', fields.valueStart(index), fields.valueEnd(index)),
  ]);
}

/** The options of Connection, having made sure that exactly the fields of these names are cut. */
function namedBy(parser: HeadParser, fields: readonly ReferenceField[]): readonly string[] {
  const named = connectionOptions(fields).filter((option) => option !== 'close' && option !== 'keep-alive');
  for (const [index, [name]] of fields.entries()) {
    const isCut = parser.fields.cuts[index] === 1;
    if (isCut !== named.includes(lowerCase(name))) return ['the cuts are wrong', name];
  }
  return named;
}

function trailersOf(body: BodyReader): readonly ReferenceField[] {
  const chunked = body.chunked;
  const fields = chunked?.trailers;
  if (chunked === undefined || fields === undefined) return [];
  return Array.from({ length: fields.count }, (_, index) => [
    chunked.trailerBytes.toString('latin1', fields.nameStart(index), fields.nameEnd(index)),
    chunked.trailerBytes.toString('latin1', fields.valueStart(index), fields.valueEnd(index)),
  ]);
}
