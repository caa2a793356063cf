import { Socket } from 'node:net';

/**
 * A socket that does not close on a failed write before all is read that its peer had sent by then: an upstream that refuses a large
 * body answers, closes, and resets what is sent on. Nothing can be lost by waiting, and little time: a write fails because the reset has
 * arrived, and behind that nothing comes any more.
 *
 * It rests on streams closing themselves by their public `destroy`. Where they did not, it would be a plain socket.
 */
export class PatientSocket extends Socket {
  #failure: Error | undefined = undefined;
  #readBefore = 0;

  /** A write has failed: nothing more can be sent. */
  get broken(): boolean {
    return this.#failure !== undefined;
  }

  override destroy(error?: Error): this {
    if (this.broken || !isFailedWrite(error)) return super.destroy(error);
    this.#failure = error;
    this.#readOn();
    return this;
  }

  /** Closes after a turn of the event loop in which nothing was read though it could have been. */
  #readOn(): void {
    this.#readBefore = this.bytesRead;
    // Between two of these the loop has looked at every socket once.
    setImmediate(() => setImmediate(() => this.#closeIfRead()));
  }

  #closeIfRead(): void {
    if (this.destroyed) return;
    if (this.isPaused()) this.once('resume', () => this.#readOn());
    else if (this.bytesRead > this.#readBefore) this.#readOn();
    else super.destroy(this.#failure);
  }
}

function isFailedWrite(error: Error | undefined): boolean {
  return error !== undefined && 'syscall' in error && error.syscall === 'write';
}
