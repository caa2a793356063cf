import { hkdfSync } from 'node:crypto';

/** Name, HMAC key and AES key of a ticket, as Node takes them. */
const TICKET_KEY_BYTES = 48;
const KEY_NAME_BYTES = 16;
/** How long a session can be taken up again, in seconds: as long as keys are kept. */
export const SESSION_SECONDS = 7_200;

/** What the tickets of one policy are sealed with. */
export interface PolicyTicketKeys {
  readonly keys: Buffer;
  /** By this a ticket says what it was sealed with. */
  readonly name: Buffer;
}

/**
 * What session tickets are sealed with, the same on all workers of the instance. Each policy has keys of its own, derived from the shared
 * ones, so that no ticket opens anything under another policy.
 */
export class TicketKeys {
  #current: Uint8Array;
  #previous: Uint8Array | undefined;
  #generation = 0;

  constructor(current: Uint8Array) {
    this.#current = current;
  }

  /** Another number whenever the keys have changed. */
  get generation(): number {
    return this.#generation;
  }

  renew(current: Uint8Array, previous: Uint8Array | undefined): void {
    this.#current = current;
    this.#previous = previous;
    this.#generation++;
  }

  current(policy: string): PolicyTicketKeys {
    return derive(this.#current, policy);
  }

  /** Those before the last rotation, whose tickets are still good; undefined where there are none. */
  previous(policy: string): PolicyTicketKeys | undefined {
    return this.#previous === undefined ? undefined : derive(this.#previous, policy);
  }
}

function derive(secret: Uint8Array, policy: string): PolicyTicketKeys {
  const keys = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `portcullis session ticket ${policy}`, TICKET_KEY_BYTES));
  return { keys, name: keys.subarray(0, KEY_NAME_BYTES) };
}
