import type { Socket } from 'node:net';

/** A socket's bytes as a test wants them: gathered, and awaited by what they must hold. Waits on events, never on time. */
export class ByteStream {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #closed = false;
  #failure: string | undefined = undefined;
  #wakeUps: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code;
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Bytes that arrived and were not taken. */
  get received(): Buffer {
    return this.#received;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends and waits until the kernel has it. */
  sendAll(bytes: Buffer): Promise<void> {
    return new Promise((resolve, reject) => this.socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  /** Waits until `find` gives a number of bytes, and takes that many. Rejects when the stream ends before. */
  async take(find: (received: Buffer) => number | undefined): Promise<Buffer> {
    for (;;) {
      const length = find(this.#received);
      if (length !== undefined) {
        const taken = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        return taken;
      }
      if (this.#ended || this.#closed) throw new Error(`the stream ended after ${JSON.stringify(this.#received.toString('latin1'))}`);
      await this.#change();
    }
  }

  /** Takes everything up to and with `text`. */
  takeThrough(text: string): Promise<string> {
    const wanted = Buffer.from(text, 'latin1');
    return this.take((received) => {
      const index = received.indexOf(wanted);
      return index === -1 ? undefined : index + wanted.length;
    }).then((bytes) => bytes.toString('latin1'));
  }

  takeBytes(length: number): Promise<Buffer> {
    return this.take((received) => (received.length >= length ? length : undefined));
  }

  /** Waits for the peer's end, orderly or not, and gives what arrived before. */
  async takeRest(): Promise<string> {
    while (!this.#ended && !this.#closed) await this.#change();
    const rest = this.#received.toString('latin1');
    this.#received = Buffer.alloc(0);
    return rest;
  }

  async whenClosed(): Promise<void> {
    while (!this.#closed) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakeUps.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#wakeUps.splice(0)) resolve();
  }
}
