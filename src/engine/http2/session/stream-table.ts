import { MOST } from '../frames/frame-format.ts';
import type { Http2Stream } from './http2-stream.ts';
import { RecentNumbers } from './recent-numbers.ts';

/** The streams of one connection by their numbers (RFC 9113 §5.1.1), and what is known of numbers that are no stream any more, or yet. */
export class StreamTable {
  /** Number of the last stream that the peer has begun. */
  lastOfPeer = 0;
  /** Behind this one no stream of the peer's is served. */
  lastServed = MOST;
  readonly #isServer: boolean;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #brokenOff = new RecentNumbers();
  #next = 1;

  constructor(isServer: boolean) {
    this.#isServer = isServer;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** All of them, as they are now. */
  get all(): readonly Http2Stream[] {
    return [...this.#streams.values()];
  }

  /** The number of the next stream begun here; undefined where there is none left. */
  takeNumber(): number | undefined {
    if (this.#next > MOST) return undefined;
    const number = this.#next;
    this.#next += 2;
    return number;
  }

  get(number: number): Http2Stream | undefined {
    return this.#streams.get(number);
  }

  add(stream: Http2Stream): void {
    this.#streams.set(stream.id, stream);
  }

  /** False where it is there no more. */
  delete(stream: Http2Stream): boolean {
    return this.#streams.delete(stream.id);
  }

  /** It was ended by us, which the peer may not know yet. */
  brokeOff(number: number): void {
    this.#brokenOff.add(number);
  }

  /** Streams with this number are begun here. */
  isOwn(number: number): boolean {
    return (number % 2 === 1) !== this.#isServer;
  }

  /** What a number stands for that is no stream. `past`: over, and its peer may not know yet; `closed`: it must know. */
  place(number: number): 'idle' | 'past' | 'closed' {
    const isOwn = this.isOwn(number);
    if (isOwn ? number >= this.#next : number > this.lastOfPeer) return 'idle';
    return this.#brokenOff.has(number) || (!isOwn && number > this.lastServed) ? 'past' : 'closed';
  }
}
