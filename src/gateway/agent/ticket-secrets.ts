import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { AgentMessage } from '../worker/worker-messages.ts';

/** As often as this the secret is replaced; tickets are good for as long again. */
const ROTATION_MS = 3_600_000;
const SECRET_BYTES = 32;

type TicketMessage = Extract<AgentMessage, { readonly kind: 'ticket-keys' }>;

export interface TicketSecretsOptions {
  readonly random: Random;
  readonly clock: Clock;
  /** Must reach all workers. */
  readonly onRenewed: (message: TicketMessage) => void;
}

/** The secrets that all workers seal TLS session tickets with. They are kept in memory alone: a session never outlives its process. */
export class TicketSecrets {
  readonly #options: TicketSecretsOptions;
  #current: Uint8Array;
  #previous: Uint8Array | undefined;
  #cancel: CancelTask;

  constructor(options: TicketSecretsOptions) {
    this.#options = options;
    this.#current = options.random.bytes(SECRET_BYTES);
    this.#cancel = this.#schedule();
  }

  /** What a worker must know. */
  message(): TicketMessage {
    return { kind: 'ticket-keys', current: this.#current, previous: this.#previous };
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(): CancelTask {
    return this.#options.clock.schedule(ROTATION_MS, () => {
      this.#previous = this.#current;
      this.#current = this.#options.random.bytes(SECRET_BYTES);
      this.#cancel = this.#schedule();
      this.#options.onRenewed(this.message());
    });
  }
}
