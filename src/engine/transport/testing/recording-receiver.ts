import type { TransportReceiver } from '../transport.ts';

/** Keeps a copy of everything that a transport tells, and can be waited on. */
export class RecordingReceiver implements TransportReceiver {
  /** In the order they came: `end`, `flushed`, and `close` with its failure. */
  events: string[] = [];
  #received: Buffer[] = [];
  #wakeUps: (() => void)[] = [];

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  onBytes(bytes: Buffer, length: number): void {
    this.#received.push(Buffer.from(bytes.subarray(0, length)));
    // They belong to the transport again: whoever kept them would see this.
    bytes.fill(0xee, 0, length);
    this.#wake();
  }

  onEnd(): void {
    this.#tell('end');
  }

  onFlushed(): void {
    this.#tell('flushed');
  }

  onClose(failure: string | undefined): void {
    this.#tell(failure === undefined ? 'close' : `close ${failure}`);
  }

  /** Begins anew. */
  forget(): void {
    this.events = [];
    this.#received = [];
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#wakeUps.push(resolve));
  }

  async whenReceived(length: number): Promise<Buffer> {
    await this.until(() => this.#received.reduce((sum, bytes) => sum + bytes.length, 0) >= length);
    return this.received;
  }

  async whenTold(event: string): Promise<void> {
    await this.until(() => this.events.includes(event));
  }

  async whenClosed(): Promise<void> {
    await this.until(() => this.events.some((event) => event.startsWith('close')));
  }

  #tell(event: string): void {
    this.events.push(event);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#wakeUps.splice(0)) resolve();
  }
}
