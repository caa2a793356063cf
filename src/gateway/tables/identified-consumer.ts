import type { ConsumerMatch } from '../../plugin-kit/index.ts';
import { CONSUMER_HEAD_BYTES, NO_CUSTOM_ID } from './consumer-record.ts';

/**
 * A consumer as a request found it. It was copied out of shared memory in one piece, so it may be kept as long as the request
 * lasts, and stays what it was when the consumer is changed or removed meanwhile. Its texts are decoded when they are asked for.
 */
export class IdentifiedConsumer implements ConsumerMatch {
  /** The consumer's record (see `consumerRecord`), then the credential's id. */
  readonly #bytes: Buffer;
  readonly #recordEnd: number;

  constructor(bytes: Buffer, recordEnd: number) {
    this.#bytes = bytes;
    this.#recordEnd = recordEnd;
  }

  get username(): string {
    return this.#bytes.toString('utf8', CONSUMER_HEAD_BYTES, this.#usernameEnd);
  }

  get customId(): string | undefined {
    if (this.#bytes.readUInt32LE(4) === NO_CUSTOM_ID) return undefined;
    return this.#bytes.toString('utf8', this.#usernameEnd, this.#customIdEnd);
  }

  /** Undefined for a key written on the consumer, and for a consumer found by name. */
  get credentialId(): string | undefined {
    return this.#recordEnd === this.#bytes.length ? undefined : this.#bytes.toString('utf8', this.#recordEnd, this.#bytes.length);
  }

  /** `X-Consumer-Username: …\r\n` and, with a custom id that a header can carry, `X-Consumer-Custom-ID: …\r\n`. Not `X-Credential-Identifier`. */
  get headerLines(): Buffer {
    return this.#bytes.subarray(this.#customIdEnd, this.#recordEnd);
  }

  get #usernameEnd(): number {
    return CONSUMER_HEAD_BYTES + this.#bytes.readUInt32LE(0);
  }

  get #customIdEnd(): number {
    const length = this.#bytes.readUInt32LE(4);
    return this.#usernameEnd + (length === NO_CUSTOM_ID ? 0 : length);
  }
}
