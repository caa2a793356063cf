import type { CancelTask, Clock } from '../../lib/clock.ts';
import { type Random, randomFraction } from '../../lib/random.ts';
import { HeldConfiguration, type HeldConfigurationOptions } from '../held-configuration.ts';
import type { PreviousProcessEnd } from '../journal.ts';
import type { SnapshotTaker } from './snapshot-taker.ts';

/** What a follower needs, and whom it tells. */
export interface SnapshotFollowerOptions extends HeldConfigurationOptions {
  readonly taker: SnapshotTaker;
  readonly intervalMs: number;
  readonly previousEnd: PreviousProcessEnd;
  readonly clock: Clock;
  readonly random: Random;
  /** What the snapshot holds is in force. */
  readonly onCurrent: (revision: number) => void;
}

/** The configuration of a gateway without any control plane: from its disk copy, and from a snapshot that it looks at again and again. */
export class SnapshotFollower {
  readonly #options: SnapshotFollowerOptions;
  readonly #held: HeldConfiguration;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #cancel: CancelTask = () => undefined;

  constructor(options: SnapshotFollowerOptions) {
    this.#options = options;
    this.#held = new HeldConfiguration(options);
  }

  /** Resolves when the disk copy is in force, or the snapshot where there is none or it lies on this machine. Never rejects. */
  async start(): Promise<void> {
    await this.#held.load(this.#options.previousEnd);
    this.#running = this.#look();
    if (this.#held.revision === undefined || this.#options.taker.isLocal) await this.#running;
  }

  restartProbation(): void {
    this.#held.restartProbation();
  }

  /** Resolves when nothing is being applied any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#running;
    this.#held.stop();
  }

  async #look(): Promise<void> {
    const { taker, onCurrent } = this.#options;
    await taker.takeOnce(this.#held, this.#stopping.signal);
    if (this.#held.revision !== undefined) onCurrent(this.#held.revision);
    if (!this.#stopping.signal.aborted) this.#schedule();
  }

  /** Between half and one and a half, so that many gateways do not ask at the same moment. */
  #schedule(): void {
    const { clock, random, intervalMs } = this.#options;
    const delayMs = intervalMs * (0.5 + randomFraction(random));
    this.#cancel = clock.schedule(delayMs, () => {
      this.#running = this.#look();
    });
  }
}
