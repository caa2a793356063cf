/** Beats between two looks: half a second at ten beats a second. */
const BEATS_PER_LOOK = 5;
/** As many must be free before accepting begins again; to notice that they are used up one is enough. */
const FREE_TO_RESUME = 32;
/** Looks that accepting stays paused at least, so that it does not flap. */
const LEAST_PAUSE_LOOKS = 2;

/** What a watch needs from its worker. */
export interface DescriptorWatchOptions {
  /** Whether this many descriptors can be opened now. */
  readonly canOpen: (count: number) => boolean;
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Pauses accepting while the process has no descriptor left. libuv accepts and closes what it cannot keep (`uv__emfile_trick`) and
 * tells nobody, so a connection would be lost in silence; with the worker's listener closed it waits in the queue of the
 * supervisor's copy. The limits of connections make this a matter of leaks and of limits set too high.
 */
export class DescriptorWatch {
  readonly #options: DescriptorWatchOptions;
  #beats = 0;
  #pausedLooks = 0;

  constructor(options: DescriptorWatchOptions) {
    this.#options = options;
  }

  /** To be called ten times a second. */
  beat(): void {
    this.#beats++;
    if (this.#beats % BEATS_PER_LOOK !== 0) return;
    const { canOpen, pause, resume } = this.#options;
    if (this.#pausedLooks === 0) {
      if (canOpen(1)) return;
      this.#pausedLooks = 1;
      pause();
      return;
    }
    this.#pausedLooks++;
    if (this.#pausedLooks <= LEAST_PAUSE_LOOKS || !canOpen(FREE_TO_RESUME)) return;
    this.#pausedLooks = 0;
    resume();
  }
}
