import type { Transport } from '../transport/transport.ts';

/** A transport without a socket that takes everything at once and keeps a copy of it. */
export class RecordedTransport implements Transport {
  readonly pendingBytes = 0;
  takenBytes = 0;
  paused = false;
  ended = false;
  onWrite: (text: string) => void = () => {};
  readonly #written: string[] = [];

  write(bytes: Buffer): boolean {
    const text = bytes.toString('latin1');
    this.#written.push(text);
    this.takenBytes += bytes.length;
    this.onWrite(text);
    return true;
  }

  /** Everything written, one character a byte. */
  text(): string {
    return this.#written.join('');
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.ended = true;
  }

  reset(): void {
    this.ended = true;
  }
}
