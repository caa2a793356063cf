import type { ByteWriter } from '../lib/byte-writer.ts';
import type { Clock } from '../lib/clock.ts';
import { HeldClock } from '../lib/held-clock.ts';
import type { EngineLimits, EngineTimeouts } from './engine-options.ts';
import type { Exchange, ExchangeHandler } from './exchange.ts';
import { BulkBuffers } from './forwarding/bulk-buffers.ts';
import { RequestBuffer } from './forwarding/request-buffer.ts';
import { FreeList } from './free-list.ts';
import type { ChunkedLimits } from './parser/chunked-parser.ts';
import { RequestParser } from './parser/request-parser.ts';
import { ResponseParser } from './parser/response-parser.ts';
import type { UpstreamPool } from './upstream/upstream-pool.ts';
import { DateLine } from './writer/date-line.ts';
import { OutputBuffer } from './writer/output-buffer.ts';

/** Most idle objects kept of a kind: as many as requests are in the same stage at once in steady traffic. */
const KEPT_OBJECTS = 256;

/** Most buffers for requests that are kept: one is in use from a request's departure to the first byte of its answer; 8 MB. */
const KEPT_SMALL_BUFFERS = 2048;

/** Most large buffers for requests that are kept: 5 MB. */
const KEPT_LARGE_BUFFERS = 64;

/** What an engine context is made from. */
export interface EngineContextOptions {
  readonly handler: ExchangeHandler;
  readonly pool: UpstreamPool;
  readonly limits: EngineLimits;
  readonly timeouts: EngineTimeouts;
  readonly serverLine: Buffer | undefined;
  readonly showsUpstreamStatus?: boolean;
  readonly ownResponseFields: readonly Buffer[];
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/** What all connections of one server share. */
export class EngineContext {
  readonly handler: ExchangeHandler;
  readonly pool: UpstreamPool;
  readonly limits: EngineLimits;
  /** Of the framing of answers: what an upstream may say in front of the body it may say behind it (errors of gRPC have details there). */
  readonly answerLimits: ChunkedLimits;
  readonly timeouts: EngineTimeouts;
  readonly serverLine: Buffer | undefined;
  /** Every answer of an upstream tells its status, not only those that failed. */
  readonly showsUpstreamStatus: boolean;
  /** Lower-case names of the fields that upstreams cannot set in answers. */
  readonly ownResponseFields: readonly Buffer[];
  readonly clock: HeldClock;
  /** Hears what the handler threw; the engine has answered for it. */
  readonly onFailure: (error: unknown) => void;
  readonly output = new OutputBuffer();
  readonly date: DateLine;
  readonly requestParsers: FreeList<RequestParser>;
  readonly responseParsers: FreeList<ResponseParser>;
  readonly requestBuffers: FreeList<RequestBuffer>;
  readonly largeRequestBuffers: FreeList<RequestBuffer>;
  readonly bulkBuffers = new BulkBuffers();
  /** Answers carry `Connection: close`. */
  announcesClose = false;
  /** Connections that wait for a request are being closed. */
  draining = false;
  exchangesInFlight = 0;

  constructor(options: EngineContextOptions) {
    this.handler = options.handler;
    this.pool = options.pool;
    this.limits = options.limits;
    const { chunkExtensionBytes, trailerBytes, responseHeadBytes } = options.limits;
    this.answerLimits = { chunkExtensionBytes, trailerBytes: Math.max(trailerBytes, responseHeadBytes) };
    this.timeouts = options.timeouts;
    this.serverLine = options.serverLine;
    this.showsUpstreamStatus = options.showsUpstreamStatus ?? false;
    this.ownResponseFields = options.ownResponseFields;
    this.clock = HeldClock.of(options.clock);
    this.onFailure = options.onFailure;
    this.date = new DateLine(options.clock);
    this.requestParsers = new FreeList(KEPT_OBJECTS, () => new RequestParser(options.limits));
    this.responseParsers = new FreeList(
      KEPT_OBJECTS,
      () => new ResponseParser(options.limits.responseHeadBytes, options.limits.responseHeaderCount),
    );
    this.requestBuffers = new FreeList(KEPT_SMALL_BUFFERS, RequestBuffer.small);
    this.largeRequestBuffers = new FreeList(KEPT_LARGE_BUFFERS, RequestBuffer.large);
  }

  /** Appends the lines of the handler that every answer carries; nothing, where it throws. */
  appendOwnLines(exchange: Exchange, writer: ByteWriter): void {
    const length = writer.length;
    try {
      this.handler.appendAnswerLines(exchange, writer);
    } catch (error) {
      writer.position = writer.start + length;
      this.onFailure(error);
    }
  }
}
