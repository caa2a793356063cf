import type { ServerResponse } from 'node:http';

/**
 * Bounds the memory of all bodies that are being read or worked on: many clients that each send as much as they may must not be too much
 * together.
 */
export class BodyBudget {
  #leftBytes: number;
  readonly #taken = new WeakMap<ServerResponse, number>();

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** What may still be taken. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Takes so many bytes until the response is closed, however it is. False when there are not as many left. */
  take(response: ServerResponse, bytes: number): boolean {
    if (bytes > this.#leftBytes || response.destroyed) return false;
    const taken = this.#taken.get(response);
    if (taken === undefined) response.once('close', () => this.#giveBack(response));
    this.#taken.set(response, (taken ?? 0) + bytes);
    this.#leftBytes -= bytes;
    return true;
  }

  #giveBack(response: ServerResponse): void {
    this.#leftBytes += this.#taken.get(response) ?? 0;
    this.#taken.delete(response);
  }
}
