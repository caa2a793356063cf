import type { Transport } from '../transport/transport.ts';

/** A transport that keeps the very buffers it was given, as a socket with pending writes does. */
export class FakeTransport implements Transport {
  readonly written: Buffer[] = [];
  takesAtOnce = true;

  get pendingBytes(): number {
    return this.takesAtOnce ? 0 : this.written.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  get takenBytes(): number {
    return this.written.reduce((sum, bytes) => sum + bytes.length, 0) - this.pendingBytes;
  }

  write(bytes: Buffer): boolean {
    this.written.push(bytes);
    return this.takesAtOnce;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
  reset(): void {}
}
