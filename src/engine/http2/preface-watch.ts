import type { TransportReceiver } from '../transport/transport.ts';

/** RFC 9113 §3.4 */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/**
 * Looks at what a client sends first: one that begins with the preface of HTTP/2 speaks it (RFC 9113 §3.3). All others are the
 * receiver's, and nothing of what they send is changed or held back beyond the first byte that tells.
 */
export class PrefaceWatch implements TransportReceiver {
  readonly #receiver: TransportReceiver;
  readonly #onHttp2: (unread: Buffer) => void;
  #seen = 0;
  #decided = false;

  /** `onHttp2` takes what has come so far; the receiver hears nothing from then on. */
  constructor(receiver: TransportReceiver, onHttp2: (unread: Buffer) => void) {
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
    this.#onHttp2(Buffer.concat([PREFACE.subarray(0, known), bytes.subarray(0, length)]));
  }

  /** It is another protocol: what came, which is the beginning of the preface, is the receiver's. */
  #giveUp(): void {
    if (this.#decided) return;
    this.#decided = true;
    if (this.#seen > 0) this.#receiver.onBytes(Buffer.from(PREFACE.subarray(0, this.#seen)), this.#seen);
  }
}
