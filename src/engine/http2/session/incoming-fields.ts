import { ENHANCE_YOUR_CALM, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED } from '../http2-codes.ts';
import type { FieldReader } from './field-blocks.ts';
import type { FrameBudget } from './frame-budget.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { StreamTable } from './stream-table.ts';

/** What fields need of their connection. */
export interface FieldsSession {
  readonly streams: StreamTable;
  readonly budget: FrameBudget;
  fail(code: number): void;
  /** A stream is over for this reason, whether or not it is one; the peer is at fault. */
  refuseStream(number: number, code: number): void;
  remoteEnded(stream: Http2Stream): void;
  accept(number: number, fields: readonly string[], endsHere: boolean): void;
}

/** What a head may bring about of frames that carry nothing. */
const EARNED = 4;
const NO_FIELDS: readonly string[] = [];

/** Decides what a list of fields is: a request, a head of an answer, a trailer section, or an offence (RFC 9113 §8.1, §5.1). */
export class IncomingFields implements FieldReader {
  readonly #session: FieldsSession;
  readonly #isServer: boolean;
  readonly #mostStreams: number;

  constructor(session: FieldsSession, { isServer, streams }: { readonly isServer: boolean; readonly streams: number }) {
    this.#session = session;
    this.#isServer = isServer;
    this.#mostStreams = streams;
  }

  fail(code: number): void {
    this.#session.fail(code);
  }

  onFields(number: number, fields: string[] | undefined, endsHere: boolean): void {
    const stream = this.#session.streams.get(number);
    if (stream === undefined) this.#begin(number, fields, endsHere);
    else if (stream.remoteEnded) this.#session.refuseStream(number, STREAM_CLOSED);
    else if (fields === undefined) this.#session.refuseStream(number, ENHANCE_YOUR_CALM);
    else if (!stream.headCame) this.#takeHead(stream, fields, endsHere);
    else if (endsHere) this.#end(stream, fields);
    else this.#session.refuseStream(number, PROTOCOL_ERROR);
  }

  /** Of an answer: an interim one ends nothing. */
  #takeHead(stream: Http2Stream, fields: string[], endsHere: boolean): void {
    const isInterim = fields[0] === ':status' && fields[1]?.length === 3 && fields[1].startsWith('1');
    if (isInterim && endsHere) {
      this.#session.refuseStream(stream.id, PROTOCOL_ERROR);
      return;
    }
    this.#session.budget.earn(EARNED);
    stream.headCame = !isInterim;
    stream.takeHead(fields, endsHere);
    if (endsHere && !stream.closed) this.#end(stream, NO_FIELDS);
  }

  #end(stream: Http2Stream, trailers: readonly string[]): void {
    stream.takeEnd(trailers);
    this.#session.remoteEnded(stream);
  }

  #begin(number: number, fields: string[] | undefined, endsHere: boolean): void {
    const session = this.#session;
    const { streams } = session;
    const place = streams.place(number);
    // RFC 9113 §5.1.1: numbers only grow, and a server begins none, as it may not push.
    if (place === 'closed') session.fail(STREAM_CLOSED);
    else if (place === 'idle' && (streams.isOwn(number) || !this.#isServer)) session.fail(PROTOCOL_ERROR);
    else if (place === 'idle') this.#beginNew(number, fields, endsHere);
    else if (!session.budget.spend()) session.fail(ENHANCE_YOUR_CALM);
  }

  #beginNew(number: number, fields: string[] | undefined, endsHere: boolean): void {
    const session = this.#session;
    const { streams } = session;
    streams.lastOfPeer = number;
    // The client has been told that it is not served, and may send it again elsewhere.
    if (number > streams.lastServed) {
      if (!session.budget.spend()) session.fail(ENHANCE_YOUR_CALM);
    } else if (fields === undefined) session.refuseStream(number, ENHANCE_YOUR_CALM);
    else if (streams.size >= this.#mostStreams) session.refuseStream(number, REFUSED_STREAM);
    else {
      session.budget.earn(EARNED);
      session.accept(number, fields, endsHere);
    }
  }
}
