import type { Clock } from '../../lib/clock.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import { BODY } from '../parser/chunked-parser.ts';
import type { BodyFilter } from '../response-filter.ts';
import { appendLastChunk, type IsLeftOut } from '../writer/body-writer.ts';
import { EMPTY_BYTES } from '../writer/fixed-lines.ts';
import type { OutputBuffer } from '../writer/output-buffer.ts';
import { FILTER, FilteredBody } from './filtered-body.ts';
import type { ForwardingClient } from './forwarding-client.ts';
import { RELAY } from './relay-status.ts';

/** What a filtered answer is made from. */
export interface FilteredAnswerParts {
  readonly filter: BodyFilter;
  /** The whole head, in memory of its own. */
  readonly head: Buffer;
  /** The body is sent in chunks; else it ends with the connection. */
  readonly chunked: boolean;
  /** Takes the framing off the upstream's body. */
  readonly body: BodyReader;
  readonly isLeftOut: IsLeftOut;
  readonly output: OutputBuffer;
  readonly client: ForwardingClient;
  readonly clock: Clock;
  /** Sends the message that was put together in the output; `headLength` bytes of it are the answer's head, or none. */
  readonly send: (headLength: number) => void;
  /** Hears, as `RELAY` says, what becomes of the answer while nothing is given to `read`. */
  readonly onProgress: (status: number) => void;
}

/**
 * One answer whose body passes through a filter. The head waits until there is something to send behind it, so that a filter which
 * fails before is answered for; a head without any of its body goes at once.
 *
 * While a promise of the filter is awaited, or the client is behind, nothing is asked of the filter: what one read has brought is kept
 * and the upstream is paused. So there is never more in memory than one read and what the filter made of another.
 */
export class FilteredAnswer {
  /** The upstream has sent more than its response. */
  surplus = false;
  /** Monotonic time since when a promise is awaited. */
  busySinceMs = 0;
  readonly #parts: FilteredAnswerParts;
  readonly #filtered: FilteredBody;
  #head: Buffer | undefined;
  /** The filter has been given something. */
  #begun = false;
  /** What has arrived and was not given to the filter. */
  #rest: Buffer | undefined = undefined;
  /** The upstream sends nothing more, and whether it said so. */
  #upstreamEnd: 'open' | 'orderly' | 'cut' = 'open';
  #over = false;

  constructor(parts: FilteredAnswerParts) {
    this.#parts = parts;
    this.#head = parts.head;
    this.#filtered = new FilteredBody(parts.filter, parts.client, (outcome) => this.#wentOn(outcome));
  }

  /** A promise of the filter is awaited. */
  get busy(): boolean {
    return this.#filtered.busy;
  }

  /** Carries `bytes[start, end)` on; one of `RELAY`. Only while neither `busy` nor the client is behind. */
  read(bytes: Buffer, start: number, end: number): number {
    const { body } = this.#parts;
    let position = start;
    for (;;) {
      const event = body.next(bytes, position, end);
      position = body.position;
      if (event === BODY.failed) return RELAY.failed;
      if (event === BODY.more) return this.#send();
      if (event === BODY.done) {
        this.surplus = position < end;
        return this.#end();
      }
      this.#begun = true;
      const outcome = this.#filtered.write(bytes.subarray(body.dataStart, body.dataEnd));
      if (this.#over) return RELAY.over;
      if (outcome === FILTER.failed) return RELAY.crashed;
      if (outcome === FILTER.busy) {
        this.#rest = copyOf(bytes, position, end);
        return this.#wait();
      }
    }
  }

  /** The client has taken what was sent to it. */
  goOn(): number {
    if (this.#filtered.busy) return RELAY.more;
    const rest = this.#rest;
    if (rest !== undefined) {
      this.#rest = undefined;
      const status = this.read(rest, 0, rest.length);
      if (status !== RELAY.more || this.#filtered.busy) return status;
    }
    return this.#upstreamEnd === 'open' ? RELAY.more : this.finish(this.#upstreamEnd === 'orderly');
  }

  /** The upstream sends nothing more. `orderly`: it said so. */
  finish(orderly: boolean): number {
    const { body } = this.#parts;
    if (this.#filtered.busy || this.#rest !== undefined) {
      if (this.#upstreamEnd === 'open') this.#upstreamEnd = orderly ? 'orderly' : 'cut';
      return RELAY.more;
    }
    return orderly && body.kind === 'close' ? this.#end() : RELAY.failed;
  }

  /** Nothing more is sent: the exchange has come to its end elsewhere. */
  abort(): void {
    this.#over = true;
    this.#rest = undefined;
    this.#filtered.abort();
  }

  #wentOn(outcome: number): void {
    const { client, onProgress } = this.#parts;
    if (outcome === FILTER.failed) {
      onProgress(RELAY.crashed);
      return;
    }
    let status = this.#send();
    if (status === RELAY.more && outcome === FILTER.settled && client.transport.pendingBytes === 0) status = this.goOn();
    onProgress(status);
  }

  #end(): number {
    const outcome = this.#filtered.end();
    if (this.#over) return RELAY.over;
    if (outcome === FILTER.failed) return RELAY.crashed;
    return outcome === FILTER.busy ? this.#wait() : this.#send();
  }

  #wait(): number {
    this.busySinceMs = this.#parts.clock.monotonicMs();
    return this.#send();
  }

  /** Sends what the filter has pushed; `done` when that was the last of it. */
  #send(): number {
    const { output, chunked, body, isLeftOut, send } = this.#parts;
    const filtered = this.#filtered;
    const length = filtered.pushedBytes;
    const done = filtered.ending && !filtered.busy;
    if (length === 0 && !done && (this.#head === undefined || this.#begun)) return RELAY.more;
    const head = this.#head ?? EMPTY_BYTES;
    this.#head = undefined;
    output.begin(head.length + length + 64);
    output.appendAll(head);
    if (chunked && length > 0) {
      output.appendHexadecimal(length);
      output.appendLineEnd();
    }
    for (const bytes of filtered.takePushed()) output.appendAll(bytes);
    if (chunked && length > 0) output.appendLineEnd();
    if (chunked && done) appendLastChunk(output, body.chunked, isLeftOut);
    send(head.length);
    return done ? RELAY.done : RELAY.more;
  }
}

/** In memory of its own: the buffer it lies in is read into again. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  if (start === end) return EMPTY_BYTES;
  const copy = Buffer.allocUnsafeSlow(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
