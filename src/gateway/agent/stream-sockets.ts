import { closeSync } from 'node:fs';
import type { StreamAddress, WorkerListeners } from '../gateway-options.ts';
import type { WorkerStreamSocket } from '../worker/worker-messages.ts';

/** Where a gateway listens for streams. */
export interface StreamSocketsOptions {
  readonly addresses: readonly StreamAddress[];
  /** One entry an address, as in `WorkerListeners`; empty: the worker binds the addresses itself. */
  readonly descriptors: NonNullable<WorkerListeners['streamDescriptors']>;
  readonly reusePort: boolean;
}

/** The sockets for streams of one worker's place; as with those for HTTP each generation takes fresh copies. */
export class StreamSockets {
  readonly #options: StreamSocketsOptions;
  #taken = 0;

  constructor(options: StreamSocketsOptions) {
    this.#options = options;
  }

  /** How many generations can still listen. */
  get copiesLeft(): number {
    return Math.min(...this.#options.descriptors.map((generations) => Math.max(0, generations.length - this.#taken)));
  }

  /** Lets go of the copies that no generation has taken. */
  closeUnused(): void {
    const taken = this.#taken;
    this.#taken = Number.POSITIVE_INFINITY;
    for (const generations of this.#options.descriptors) for (const fd of generations.slice(taken).flat()) closeSync(fd);
  }

  /** Sockets for the next generation. `ports` are those that own addresses got before. */
  take(ports: readonly number[]): readonly WorkerStreamSocket[] {
    const { addresses, descriptors, reusePort } = this.#options;
    const generation = this.#taken++;
    return addresses.map(({ protocol, host, port }, index) => ({
      protocol,
      fds: descriptors[index]?.[generation] ?? [],
      host,
      port: ports[index] ?? port,
      reusePort,
    }));
  }
}
