import type { SnapshotDelta } from '../../schema/index.ts';
import type { ConfigurationSource } from './configuration-source.ts';

/** What an opened source is let go of with. */
export interface OpenedSourceOptions {
  /** Resolves when the source has been told who used what, as far as it can be. */
  readonly tellUsage: (source: ConfigurationSource | undefined) => Promise<void>;
  readonly after: (delayMs: number) => Promise<void>;
}

/** What is to be told, and what is being applied, when a source is let go of, gets this long each to come to its end. */
const STOP_MS = 1000;

/** The source of a gateway's configuration: as it is opened, handed over to the process that takes this one's place, and ended. */
export class OpenedSource {
  readonly #options: OpenedSourceOptions;
  #current: ConfigurationSource | undefined;
  /** The one that was handed over. */
  #former: ConfigurationSource | undefined;
  #hasEnded = false;

  constructor(options: OpenedSourceOptions) {
    this.#options = options;
  }

  /** Undefined before it is opened, and when it was let go of. */
  get current(): ConfigurationSource | undefined {
    return this.#current;
  }

  use(source: ConfigurationSource): void {
    this.#current = source;
  }

  /** As `RunningGateway.handOver`. */
  async handOver(): Promise<void> {
    this.#former = this.#current;
    await this.#letGo((source) => source.handOver());
  }

  /** As `RunningGateway.follow`. */
  async follow(delta: SnapshotDelta): Promise<void> {
    if (this.#hasEnded) return;
    if (this.#former === undefined) throw new Error('nothing was handed over');
    await this.#former.follow(delta);
  }

  /** Resolves when nothing is being applied any more, but for what `follow` brings. */
  stop(): Promise<void> {
    return this.#letGo((source) => source.stop());
  }

  /** The connection of a source that was handed over ends. */
  async leaveControlPlane(): Promise<void> {
    await this.#former?.stop();
  }

  /** No worker is left that could answer by what was before. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.leaveControlPlane();
  }

  async #letGo(end: (source: ConfigurationSource) => Promise<void>): Promise<void> {
    const source = this.#current;
    this.#current = undefined;
    const { tellUsage, after } = this.#options;
    await Promise.race([tellUsage(source), after(STOP_MS)]);
    if (source === undefined) return;
    await Promise.race([end(source), after(STOP_MS)]);
    await source.close();
  }
}
