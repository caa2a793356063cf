import type { Socket } from 'node:net';

/** Reads what a socket receives in pieces of one's own choice. One read at a time. */
export class ByteReader {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('end', () => this.#end(undefined));
    socket.on('close', () => this.#end(undefined));
    socket.on('error', (error) => this.#end(error));
  }

  /** Received, but not yet read. */
  get unread(): Buffer {
    return this.#received;
  }

  /** Everything up to and with the delimiter; undefined when the other side ended before the first byte. */
  async readThrough(delimiter: string): Promise<Buffer | undefined> {
    for (;;) {
      const index = this.#received.indexOf(delimiter, 0, 'latin1');
      if (index !== -1) return this.#take(index + delimiter.length);
      if (this.#ended && this.#received.length === 0) return undefined;
      await this.#more(`a line end`);
    }
  }

  async readExactly(length: number): Promise<Buffer> {
    while (this.#received.length < length) await this.#more(`${length} bytes`);
    return this.#take(length);
  }

  /** Everything until the other side ends or resets the connection. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#wait();
    return this.#take(this.#received.length);
  }

  async #more(wanted: string): Promise<void> {
    if (this.#ended) {
      const received = JSON.stringify(this.#received.toString('latin1').slice(0, 200));
      throw new Error(`the connection ended where ${wanted} should follow; received ${received}`, { cause: this.#error });
    }
    await this.#wait();
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#socket.resume();
    });
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  #end(error: Error | undefined): void {
    this.#ended = true;
    this.#error ??= error;
    this.#wake();
  }
}
