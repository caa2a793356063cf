import { randomBytes } from 'node:crypto';
import { FreeList } from '../free-list.ts';
import { ResponseParser } from '../parser/response-parser.ts';

const ROOM_BYTES = 64 * 1024;
/** Beyond what is kept of an upstream's head, for what the gateway adds to it. */
const OWN_HEAD_BYTES = 64 * 1024;
const OWN_FIELDS = 500;
const KEPT_PARSERS = 64;
const KEY_BYTES = 16;

/** What the streams of one server share, so that they need not make it. */
export class StreamTools {
  readonly #parsers: FreeList<ResponseParser>;
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES);

  /** `headBytes` and `fields`: what an upstream's head may have. */
  constructor(headBytes: number, fields: number) {
    this.#parsers = new FreeList(KEPT_PARSERS, () => new ResponseParser(headBytes + OWN_HEAD_BYTES, fields + OWN_FIELDS));
  }

  /** A buffer of at least this length; its bytes are anybody's again after the call they are passed to. */
  room(length: number): Buffer {
    if (this.#room.length < length) this.#room = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(length)));
    return this.#room;
  }

  takeParser(): ResponseParser {
    return this.#parsers.take();
  }

  giveBackParser(parser: ResponseParser | undefined): void {
    if (parser === undefined) return;
    parser.reset();
    this.#parsers.giveBack(parser);
  }

  /** RFC 6455 §4.1: the key of a WebSocket, which has to be new each time and protects nothing. */
  webSocketKey(): string {
    return randomBytes(KEY_BYTES).toString('base64');
  }
}
