import type { TransportReceiver } from '../transport/transport.ts';
import { PREFACE } from './frames/frame-format.ts';

/**
 * Looks at what a client sends first: one that begins with the preface of HTTP/2 speaks it (RFC 9113 §3.3). All others are the
 * receiver's, and nothing of what they send is changed or held back beyond the first byte that tells.
 */
export class PrefaceWatch implements TransportReceiver {
  readonly #onHttp2: () => TransportReceiver;
  #receiver: TransportReceiver;
  #seen = 0;
  #decided = false;

  /** What `onHttp2` returns takes the receiver's place, and hears of everything from the first byte on. */
  constructor(receiver: TransportReceiver, onHttp2: () => TransportReceiver) {
    this.#receiver = receiver;
    this.#onHttp2 = onHttp2;
  }

  onBytes(bytes: Buffer, length: number): void {
    if (this.#decided) this.#receiver.onBytes(bytes, length);
    else this.#look(bytes, length);
  }

  onEnd(): void {
    this.#giveUp();
    this.#receiver.onEnd();
  }

  onFlushed(): void {
    this.#receiver.onFlushed();
  }

  onClose(failure: string | undefined): void {
    this.#receiver.onClose(failure);
  }

  #look(bytes: Buffer, length: number): void {
    const wanted = Math.min(length, PREFACE.length - this.#seen);
    if (bytes.compare(PREFACE, this.#seen, this.#seen + wanted, 0, wanted) !== 0) {
      this.#giveUp();
      this.#receiver.onBytes(bytes, length);
      return;
    }
    const known = this.#seen;
    this.#seen += wanted;
    if (this.#seen < PREFACE.length) return;
    this.#decided = true;
    this.#receiver = this.#onHttp2();
    if (known > 0) this.#receiver.onBytes(Buffer.from(PREFACE.subarray(0, known)), known);
    this.#receiver.onBytes(bytes, length);
  }

  /** It is another protocol: what came, which is the beginning of the preface, is the receiver's. */
  #giveUp(): void {
    if (this.#decided) return;
    this.#decided = true;
    if (this.#seen > 0) this.#receiver.onBytes(Buffer.from(PREFACE.subarray(0, this.#seen)), this.#seen);
  }
}
