import { type BackoffSteps, backoffDelayMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { type Random, randomFraction } from '../lib/random.ts';
import type { ControlPlaneAddress } from './control-plane-rotation.ts';
import { FrameConnection } from './frame-connection.ts';
import { parseControlPlaneMessage } from './parse-message.ts';
import { type HelloMessage, MAX_FRAME_BYTES } from './protocol.ts';
import { openSyncConnection, type SubscriberIdentity } from './sync-client.ts';

/** What others are asked with. */
export interface OtherControlPlanesOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** One that takes longer to say welcome has no store either. */
const WELCOME_TIMEOUT_MS = 3_000;
/** Between half and one and a half of such a delay passes before they are asked again: soon at first, since the other one may just have been busy. */
const BACKOFF: BackoffSteps = { firstDelayMs: 1_000, highestDelayMs: 10_000 };
/** Nobody had to ask for so long: what was before counts no more. */
const FORGOTTEN_AFTER_MS = 60_000;
/** Longer than it takes to go there. */
const HELD_MS = 5_000;

/**
 * Looks for a control plane that takes this instance in, while the connection to another one stands: where the store is away from all of them, nobody
 * leaves the one that there is.
 */
export class OtherControlPlanes {
  readonly #options: OtherControlPlanesOptions;
  #isLooking = false;
  #nextLookMs = 0;
  #failures = 0;

  constructor(options: OtherControlPlanesOptions) {
    this.#options = options;
  }

  /**
   * The first that welcomes; undefined when none does, and when it is too early to ask again. Never rejects.
   *
   * The connection by which it was asked stays for a while, until the next one of this instance takes its place: writes go on to wait for the instance
   * meanwhile, and are not said to be in force everywhere while it is on its way.
   */
  async find(
    addresses: readonly ControlPlaneAddress[],
    identity: SubscriberIdentity,
    hello: HelloMessage,
  ): Promise<ControlPlaneAddress | undefined> {
    const { clock, random } = this.#options;
    if (this.#isLooking || clock.monotonicMs() < this.#nextLookMs) return undefined;
    if (clock.monotonicMs() - this.#nextLookMs > FORGOTTEN_AFTER_MS) this.#failures = 0;
    this.#isLooking = true;
    try {
      for (const address of addresses) {
        if (!(await this.#welcomes(address, identity, hello).catch(() => false))) continue;
        this.#failures = 0;
        return address;
      }
      this.#failures += 1;
      return undefined;
    } finally {
      this.#isLooking = false;
      this.#nextLookMs = clock.monotonicMs() + backoffDelayMs(this.#failures, BACKOFF) * (0.5 + randomFraction(random));
    }
  }

  async #welcomes(address: ControlPlaneAddress, identity: SubscriberIdentity, hello: HelloMessage): Promise<boolean> {
    const { clock, signal } = this.#options;
    const { socket, head } = await openSyncConnection({ ...address, identity, clock, signal, timeoutMs: CONNECT_TIMEOUT_MS });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    let isAnswered = false;
    const end = (): void => connection.close('it was only asked whether it takes the instance in');
    const connection = new FrameConnection({
      socket,
      head,
      maxFrameBytes: MAX_FRAME_BYTES,
      clock,
      onFrame: async (text) => {
        if (!isAnswered) resolve(parseControlPlaneMessage(text)?.kind === 'welcome');
        isAnswered = true;
      },
      onClosed: () => {
        cancelEnd();
        signal.removeEventListener('abort', end);
        resolve(false);
      },
    });
    let cancelEnd = clock.schedule(WELCOME_TIMEOUT_MS, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    connection.start();
    connection.send(hello);
    const isWelcome = await promise;
    cancelEnd();
    if (!isWelcome) end();
    else if (!connection.isClosed) cancelEnd = clock.schedule(HELD_MS, end);
    return isWelcome;
  }
}
