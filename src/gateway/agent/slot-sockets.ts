import { closeSync } from 'node:fs';
import type { WorkerListeners } from '../gateway-options.ts';
import type { WorkerSocket } from '../worker/worker-messages.ts';

/** Where a gateway without handed-down sockets listens by itself. Port 0 is replaced by the port that the first worker got. */
export interface OwnAddresses {
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly encryptedAddresses: readonly { readonly host: string; readonly port: number }[];
  readonly reusePort: boolean;
}

/**
 * The sockets of one worker's place. A worker's end closes its descriptors while the supervisor's copies keep the queue open, so
 * each generation takes fresh copies of the same sockets.
 */
export class SlotSockets {
  /** By address, then by generation. */
  readonly #copies: readonly (readonly (readonly number[])[])[];
  readonly #encryptedCopies: readonly (readonly (readonly number[])[])[];
  readonly #own: OwnAddresses;
  #taken = 0;

  constructor(listeners: WorkerListeners, own: OwnAddresses) {
    this.#copies = listeners.httpDescriptors;
    this.#encryptedCopies = listeners.httpsDescriptors;
    this.#own = own;
  }

  get handedDown(): boolean {
    return this.#copies.length > 0;
  }

  /** No generation after the present one can listen. */
  get usedUp(): boolean {
    return this.#copiesLeft === 0;
  }

  /** One more generation can listen, at most: time for a fresh process, which needs a while to come. */
  get runningLow(): boolean {
    return this.#copiesLeft <= 1;
  }

  get #copiesLeft(): number {
    return Math.min(...[...this.#copies, ...this.#encryptedCopies].map((generations) => Math.max(0, generations.length - this.#taken)));
  }

  /** Lets go of the copies that no generation has taken: as long as one is open somewhere, the kernel accepts into a queue that nobody reads. */
  closeUnused(): void {
    const taken = this.#taken;
    this.#taken = Number.POSITIVE_INFINITY;
    for (const generations of [...this.#copies, ...this.#encryptedCopies]) for (const fd of generations.slice(taken).flat()) closeSync(fd);
  }

  /** Sockets for the next generation, or undefined when no copies are left. `ports` are those that own addresses got before. */
  take(ports: OwnPorts): readonly WorkerSocket[] | undefined {
    if (!this.handedDown) {
      const { addresses, encryptedAddresses } = this.#own;
      return [...this.#ownSockets(addresses, ports.plain, false), ...this.#ownSockets(encryptedAddresses, ports.encrypted, true)];
    }
    if (this.usedUp) return undefined;
    const generation = this.#taken++;
    return [...handedDown(this.#copies, generation, false), ...handedDown(this.#encryptedCopies, generation, true)];
  }

  #ownSockets(addresses: OwnAddresses['addresses'], ports: readonly number[], encrypted: boolean): readonly WorkerSocket[] {
    const { reusePort } = this.#own;
    return addresses.map(({ host, port }, index) => ({ fds: [], host, port: ports[index] ?? port, reusePort, encrypted }));
  }
}

/** The ports that own addresses got; none before a worker listens there. */
export interface OwnPorts {
  readonly plain: readonly number[];
  readonly encrypted: readonly number[];
}

function handedDown(copies: readonly (readonly (readonly number[])[])[], generation: number, encrypted: boolean): readonly WorkerSocket[] {
  return copies.map((generations) => ({ fds: generations[generation] ?? [], host: '', port: 0, reusePort: false, encrypted }));
}
