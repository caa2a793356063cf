import { HttpConnection } from '../connection/http-connection.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Exchange } from '../exchange.ts';
import { RecordedTransport } from './recorded-transport.ts';
import { TEST_CLIENT } from './test-client.ts';
import { testContext } from './test-context.ts';
import { answerOf, TestHandler } from './test-handler.ts';

/** One connection without a socket: the test decides what has been received, and when each request is answered. */
export class DrainScene {
  readonly transport = new RecordedTransport();
  readonly asked: Exchange[] = [];
  readonly context: EngineContext;
  readonly connection: HttpConnection;
  /** Bytes that the connection was given. */
  received = 0;
  answersAtOnce = true;

  constructor() {
    const handler = new TestHandler((exchange) => {
      this.asked.push(exchange);
      if (this.answersAtOnce) this.answer();
    });
    this.context = testContext({ handler });
    const makeTransport = (): RecordedTransport => this.transport;
    this.connection = new HttpConnection(this.context, TEST_CLIENT, makeTransport, () => {});
  }

  /** Answers the request that waits, if one does. */
  answer(): void {
    const exchange = this.asked.at(-1);
    if (exchange?.status === 0 && exchange.reason === undefined) exchange.respond(answerOf(200, 'ok'));
  }

  /** Gives the connection up to `length` of what was sent, unless it does not want any now. */
  deliver(sent: Buffer, length: number): void {
    if (this.transport.paused || this.transport.ended) return;
    const piece = Buffer.from(sent.subarray(this.received, this.received + length));
    if (piece.length === 0) return;
    this.received += piece.length;
    this.connection.onBytes(piece, piece.length);
  }

  /** `keep-alive` or `close` for each answer. */
  answers(): string[] {
    const heads = this.transport.text().match(/HTTP\/1\.1 200 OK\r\n[\s\S]*?\r\n\r\nok/g) ?? [];
    return heads.map((head) => (/\r\nConnection: close\r\n/i.test(head) ? 'close' : 'keep-alive'));
  }
}

/** A GET, or a POST with a body of `length` bytes, in chunks where that is odd, which may look like the end of a head. */
export function requestOf(length: number): string {
  if (length < 10) return `GET /${length} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const body = 'GET / HTTP/1.1\r\n\r\n'.repeat(length).slice(0, length);
  if (length % 2 === 0) return `POST /${length} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
  const chunks = [body.slice(0, 7), body.slice(7)].map((chunk) => `${chunk.length.toString(16)};a=b\r\n${chunk}\r\n`);
  return `POST /${length} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\nX-Trailer: 1\r\n\r\n`;
}
