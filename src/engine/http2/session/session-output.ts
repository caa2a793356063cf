import type { Transport } from '../../transport/transport.ts';
import { FIRST_WINDOW_BYTES, FRAME_BYTES } from '../frames/frame-format.ts';
import { FrameOutput } from '../frames/frame-output.ts';
import type { SlabPool } from '../frames/slab-pool.ts';
import type { Http2Stream } from './http2-stream.ts';

/** So much of a connection may wait for the kernel before its streams wait themselves. */
const FULL_BYTES = 128 * 1024;

/** What one connection sends: frames as they come, and data as far as windows (RFC 9113 §5.2) and the kernel take it, each stream in its turn. */
export class SessionOutput {
  readonly frames: FrameOutput;
  /** Bytes that the peer takes on all streams together. */
  window = FIRST_WINDOW_BYTES;
  /** Streams that have something to send, and a window of their own for it; the one whose turn it is comes first. */
  readonly #waiting = new Set<Http2Stream>();

  constructor(slabs: SlabPool, onWritten: () => void) {
    this.frames = new FrameOutput(slabs, onWritten);
  }

  attach(transport: Transport): void {
    this.frames.attach(transport);
  }

  /** Writes what of `bytes[start, end)` may go now; returns where the rest begins. `inTurn`: whoever else waits comes later. */
  data(stream: Http2Stream, bytes: Buffer, start: number, end: number, ends: boolean, inTurn: boolean): number {
    if (!inTurn && this.#waiting.size > 0) return start;
    let position = start;
    while (position < end) {
      const most = Math.min(end - position, this.#allowance(stream));
      if (most <= 0) break;
      const next = position + most;
      this.frames.data(stream.id, bytes, position, next, ends && next === end);
      this.window -= most;
      stream.sendWindow -= most;
      position = next;
      if (inTurn) break;
    }
    return position;
  }

  /** It has something to send. */
  wait(stream: Http2Stream): void {
    if (stream.wantsTurn) this.#waiting.add(stream);
  }

  leave(stream: Http2Stream): void {
    this.#waiting.delete(stream);
  }

  /** Sends what may go, after a window has grown or the kernel has taken something. */
  pump(): void {
    for (;;) {
      const next = this.#waiting.values().next();
      if (next.done === true) return;
      const stream = next.value;
      if (stream.wantsTurn && this.#allowance(stream) <= 0) return;
      this.#waiting.delete(stream);
      if (stream.wantsTurn) stream.sendNext();
      if (stream.wantsTurn) this.#waiting.add(stream);
    }
  }

  #allowance(stream: Http2Stream): number {
    if (this.frames.pendingBytes >= FULL_BYTES) {
      this.frames.flush();
      if (this.frames.pendingBytes >= FULL_BYTES) return 0;
    }
    return Math.min(FRAME_BYTES, this.window, stream.sendWindow);
  }
}
