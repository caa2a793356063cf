import type { JsonValue } from '../lib/json.ts';
import type { ChildMessage } from './messages.ts';

/** The processes of the role that this one has followed, for as long as they serve beside it. */
export interface FormerChildren {
  /**
   * Asks each of them; resolves when each has answered, or has ended where it could not. Never rejects. Questions arrive in the order in
   * which they were asked.
   */
  ask(name: string, body: JsonValue): Promise<void>;
  /** Resolves when none is left. */
  readonly gone: Promise<void>;
}

/** Asks by way of the supervisor, which says when there is nothing to wait for any more. */
export class AskedFormers implements FormerChildren {
  readonly #send: (message: ChildMessage) => void;
  readonly #gone = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor(send: (message: ChildMessage) => void) {
    this.#send = send;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  ask(name: string, body: JsonValue): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ kind: 'ask-former', id, name, body });
    });
  }

  noteAnswered(id: number): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }

  noteGone(): void {
    this.#gone.resolve();
  }
}
